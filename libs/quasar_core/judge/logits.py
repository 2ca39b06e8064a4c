"""The reference model, with the attention core of some layers replaced.

The whole model runs here, in the trusted process, in float32; only q, k, v
of the replaced layers leave it, and only their o comes back. Weights are
loaded from a local folder, as safetensors, and never with remote code.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from transformers import Qwen2Config, Qwen2ForCausalLM
from transformers.models.qwen2.modeling_qwen2 import (
    apply_rotary_pos_emb,
    repeat_kv,
)
from transformers.utils import logging
from transformers.utils.hub import cached_file

from quasar_core.domain.workload import HEAD_DIM
from quasar_core.errors import TransientError
from quasar_core.judge.seeds import CPU

MODEL_TYPE = "qwen2"
STAND_IN_MARK = "quasar_stand_in_seed"
STAND_IN_SIZES: Mapping[str, Any] = MappingProxyType(
    {
        "vocab_size": 512,
        "hidden_size": 128,
        "intermediate_size": 192,
        "num_hidden_layers": 6,
        "num_attention_heads": 10,
        "num_key_value_heads": 2,
        "max_position_embeddings": 65_536,
        "tie_word_embeddings": False,
    }
)

Core = Callable[[int, torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
"""(layer, q, k, v), each `[1, H, T, S]`, to o `[1, H, T, S]`."""


@dataclass(frozen=True)
class ReferenceModel:
    """A loaded model, ready to be run with replaced cores."""

    model: Qwen2ForCausalLM
    name: str
    digest: str
    stand_in: bool

    @property
    def layers(self) -> int:
        """How many layers it has."""
        return self.model.config.num_hidden_layers

    @property
    def device(self) -> torch.device:
        """Where its weights lie."""
        return self.model.device

    @property
    def vocabulary(self) -> int:
        """How many tokens it knows."""
        return self.model.config.vocab_size


def make_stand_in(
    path: Path, seed: int, sizes: Mapping[str, Any] = STAND_IN_SIZES
) -> Path:
    """Write a small Qwen2 with weights drawn from `seed`, as safetensors.

    It has the raced head dimension, more heads than one call takes, and
    fewer KV heads than heads, as the real model has; its other `sizes` are
    smaller unless they are given.
    """
    config = Qwen2Config.from_dict(dict(sizes))
    # Not a parameter of this architecture, but what its layers look for.
    config.head_dim = HEAD_DIM
    setattr(config, STAND_IN_MARK, seed)
    noise = torch.Generator().manual_seed(seed)
    model = Qwen2ForCausalLM(config)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                # As wide as keeps the size of what passes through: logits
                # then vary by about 1, and each core is felt in them.
                drawn = torch.randn(parameter.shape, generator=noise)
                parameter.copy_(drawn * parameter.shape[-1] ** -0.5)
    with _quiet():
        model.save_pretrained(path)
    return path


def load_model(path: Path, device: torch.device = CPU) -> ReferenceModel:
    """The model in this folder, in float32 on `device`, to evaluate it.

    What is no folder is taken for a name in the local hub cache; nothing
    is ever fetched. Raises TransientError where there is no such model: a
    worker's set-up is never the submission's fault.
    """
    name, path = path.name, _local_folder(path)
    try:
        config = json.loads((path / "config.json").read_text("utf-8"))
    except (FileNotFoundError, ValueError) as error:
        raise TransientError(f"{path} holds no model: {error}") from error
    weights = sorted(path.glob("*.safetensors"))
    if config.get("model_type") != MODEL_TYPE or not weights:
        raise TransientError(
            f"{path} holds no {MODEL_TYPE} model in safetensors"
        )
    with _quiet():
        model: Any = Qwen2ForCausalLM.from_pretrained(
            path,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            dtype=torch.float32,
            attn_implementation="sdpa",
        )
    seed = config.get(STAND_IN_MARK)
    return ReferenceModel(
        model=model.eval().to(device),
        name=name if seed is None else f"stand-in-{seed}",
        digest=_digest([path / "config.json", *weights]),
        stand_in=seed is not None,
    )


def quasarised_logits(
    reference: ReferenceModel,
    tokens: torch.Tensor,
    positions: Sequence[int],
    layers: Sequence[int],
    core: Core,
) -> torch.Tensor:
    """Logits `[P, vocabulary]` at `positions` of the tokens `[T]`.

    They are on the CPU, wherever the model is. Teacher-forced: one pass over
    the whole prompt. The attention core of `layers` is `core`, that of all
    others the model's own.
    """
    with torch.inference_mode(), _replaced(reference, layers, core):
        output = reference.model(
            input_ids=tokens.view(1, -1).to(reference.device),
            use_cache=False,
            logits_to_keep=torch.tensor(list(positions)),
        )
    return output.logits[0].cpu()


def _local_folder(path: Path) -> Path:
    if path.is_dir():
        return path
    try:
        found = cached_file(str(path), "config.json", local_files_only=True)
    except OSError as error:
        raise TransientError(
            f"{path} is neither a folder nor in the local hub cache"
        ) from error
    return Path(str(found)).parent


class AttentionAround(nn.Module):
    """A layer's attention around another core.

    The projections and the rotary positions are the layer's own; KV heads
    are repeated before the core sees them.
    """

    def __init__(self, attention: nn.Module, core: Core) -> None:
        super().__init__()
        self._attention: Any = attention
        self._core = core

    def forward(
        self,
        hidden_states: torch.Tensor,
        position_embeddings: tuple[torch.Tensor, torch.Tensor],
        **_: object,
    ) -> tuple[torch.Tensor, None]:
        """hidden_states `[1, T, hidden]` to the same."""
        layer = self._attention
        batch, tokens, _width = hidden_states.shape
        q, k, v = (
            projection(hidden_states)
            .view(batch, tokens, -1, layer.head_dim)
            .transpose(1, 2)
            for projection in (layer.q_proj, layer.k_proj, layer.v_proj)
        )
        q, k = apply_rotary_pos_emb(q, k, *position_embeddings)
        groups = layer.num_key_value_groups
        o = self._core(
            layer.layer_idx, q, repeat_kv(k, groups), repeat_kv(v, groups)
        )
        merged = o.transpose(1, 2).reshape(batch, tokens, -1)
        return layer.o_proj(merged), None


@contextmanager
def _replaced(
    reference: ReferenceModel, layers: Sequence[int], core: Core
) -> Iterator[None]:
    stack: Any = reference.model.model.layers
    kept = [layer.self_attn for layer in stack]
    try:
        for number, layer in enumerate(stack):
            its_core = core if number in layers else softmax_core
            layer.self_attn = AttentionAround(layer.self_attn, its_core)
        yield
    finally:
        for layer, attention in zip(stack, kept, strict=True):
            layer.self_attn = attention


def softmax_core(
    layer: int, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor
) -> torch.Tensor:
    """Causal softmax attention: the model's own, and a `Core`.

    The model's own call shares KV heads among its heads, for which no kernel
    in float32 is known to PyTorch that does without all scores in memory:
    56 GiB at 32,768 tokens.
    """
    del layer
    return functional.scaled_dot_product_attention(q, k, v, is_causal=True)


@contextmanager
def _quiet() -> Iterator[None]:
    """No progress bars in a worker's log."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _digest(paths: Sequence[Path]) -> str:
    total = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()
