"""Who is timed: these kernels, and those of `fla` where it is installed."""

# fla's operators hide their signatures, and its layers may not be there
# pyright: reportCallIssue=false, reportMissingImports=false
# pylint: disable=import-error,no-name-in-module
from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import logsigmoid, scaled_dot_product_attention, silu

from ..layers.quasar import QuasarAttention
from ..ops.quasar import chunk_quasar
from .rows import (
    COMPILED_LAYER,
    DELTA,
    DELTA_SPLIT,
    GATED,
    KIMI,
    LAYER,
    OURS,
    OURS_CAUSAL,
    SOFTMAX,
    SPLITS,
)

HEADS, HEAD_DIM, HIDDEN = 8, 64, 512


@dataclass(frozen=True)
class Peer:
    """An operator or layer and what it takes.

    `make(tokens)` gives its arguments; those that are tensors and want a
    gradient have one, and so do the parameters of `module`.
    """

    name: str
    make: Callable[[int], tuple[Any, ...]]
    call: Callable[..., torch.Tensor]
    module: torch.nn.Module | None = None

    @property
    def splits_the_card(self) -> bool:
        """Whether fla is asked to split one sequence over the device."""
        return self.name in SPLITS


def random(*shape: int) -> torch.Tensor:
    """Normal numbers in bfloat16 on the device."""
    return torch.randn(*shape, device="cuda").to(torch.bfloat16)


def qkv(tokens: int) -> tuple[torch.Tensor, ...]:
    """As a layer makes them: SiLU of something normal, `[1, T, 8, 64]`."""
    return tuple(
        silu(random(1, tokens, HEADS, HEAD_DIM)).requires_grad_()
        for _ in range(3)
    )


def _with_beta(tokens: int) -> tuple[torch.Tensor, ...]:
    beta = torch.rand(HEADS, device="cuda") * 2 + 0.7
    return *qkv(tokens), beta.requires_grad_()


def alpha_of(k: torch.Tensor, beta: torch.Tensor) -> torch.Tensor:
    """The gate `[B, T, H]` of k `[B, T, H, S]`, in float32."""
    norms = k.detach().double().square().sum(-1)
    alpha = -torch.expm1(-beta.detach().double() * norms) / (norms + 1e-8)
    return alpha.float()


def _with_alpha(tokens: int) -> tuple[torch.Tensor, ...]:
    q, k, v, beta = _with_beta(tokens)
    return q, k, v, alpha_of(k, beta).requires_grad_()


def _with_decay(tokens: int) -> tuple[torch.Tensor, ...]:
    decay = logsigmoid(torch.randn(1, tokens, HEADS, device="cuda") + 4)
    q, k, v, alpha = _with_alpha(tokens)
    return q, k, v, decay.requires_grad_(), alpha


def _with_decays(tokens: int) -> tuple[torch.Tensor, ...]:
    decay = logsigmoid(random(1, tokens, HEADS, HEAD_DIM) + 4)
    q, k, v, alpha = _with_alpha(tokens)
    return q, k, v, decay.requires_grad_(), alpha


def _marks(tokens: int) -> torch.Tensor:
    return torch.tensor([0, tokens], device="cuda", dtype=torch.int32)


@contextmanager
def split_over_the_card(*, wanted: bool) -> Iterator[None]:
    """Ask fla to split one sequence over a device, if `wanted`."""
    if wanted:
        os.environ["FLA_INTRACARD_CP"] = "1"
    try:
        yield
    finally:
        os.environ.pop("FLA_INTRACARD_CP", None)


def operator(name: str) -> Peer:
    """The operator of that name; ImportError if fla is needed and absent."""
    if name in (OURS, OURS_CAUSAL):
        layout = "interleaved" if name == OURS else "causal"
        return Peer(
            name, _with_beta, lambda *x: chunk_quasar(*x, layout=layout)[0]
        )
    if name == SOFTMAX:
        return Peer(name, qkv, _softmax)
    if name in (DELTA, DELTA_SPLIT):
        return _delta_rule(name)
    return _gated(name)


def _softmax(*x: torch.Tensor) -> torch.Tensor:
    q, k, v = (t.transpose(1, 2) for t in x)
    return scaled_dot_product_attention(q, k, v, is_causal=True)


def _delta_rule(name: str) -> Peer:
    from fla.ops.delta_rule import chunk_delta_rule

    def delta(q: Any, k: Any, v: Any, alpha: Any) -> torch.Tensor:
        marks = _marks(q.shape[1]) if name in SPLITS else None
        return chunk_delta_rule(q, k, v, alpha, scale=1.0, cu_seqlens=marks)[0]

    return Peer(name, _with_alpha, delta)


def _gated(name: str) -> Peer:
    if name == GATED:
        from fla.ops.gated_delta_rule import chunk_gated_delta_rule as rule

        make = _with_decay
    else:
        from fla.ops.kda import chunk_kda as rule

        make = _with_decays

    def gated(q: Any, k: Any, v: Any, g: Any, alpha: Any) -> torch.Tensor:
        return rule(q, k, v, g, alpha, scale=1.0)[0]

    return Peer(name, make, gated)


def layer(name: str) -> Peer:
    """The layer of that name, of hidden size 512, in bfloat16."""
    if name.startswith(LAYER):
        ours = _placed(QuasarAttention(HIDDEN, HEAD_DIM, HEADS))
        call = torch.compile(ours) if name == COMPILED_LAYER else ours
        return Peer(name, _hidden, lambda x: call(x)[0], ours)
    if name == KIMI:
        from fla.layers import KimiDeltaAttention

        kimi = _placed(
            KimiDeltaAttention(
                hidden_size=HIDDEN, head_dim=HEAD_DIM, num_heads=HEADS
            )
        )
        return Peer(name, _hidden, lambda x: kimi(x)[0], kimi)
    from fla.layers import DeltaNet

    delta = _placed(DeltaNet(hidden_size=HIDDEN, num_heads=HEADS))

    def call_delta(x: torch.Tensor) -> torch.Tensor:
        marks = _marks(x.shape[1]) if name in SPLITS else None
        return delta(x, cu_seqlens=marks)[0]

    return Peer(name, _hidden, call_delta, delta)


def _placed(module: torch.nn.Module) -> torch.nn.Module:
    return module.to("cuda", torch.bfloat16)


def _hidden(tokens: int) -> tuple[torch.Tensor, ...]:
    return (random(1, tokens, HIDDEN),)
