"""Who is timed: these kernels, and those of `fla` where it is installed."""

# fla's operators hide their signatures, and its layers may not be there
# pyright: reportCallIssue=false, reportMissingImports=false
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

HEADS, HEAD_DIM, HIDDEN = 8, 64, 512
# Beyond this, quadratic attention takes longer than it teaches.
LONGEST_QUADRATIC = 100_000

Operator = Callable[..., torch.Tensor]


@dataclass(frozen=True)
class Peer:
    """An operator or layer, what it takes, and how long it may be.

    `make(tokens)` gives its arguments; those that are tensors and want a
    gradient have one. `tunes_for_minutes` tells of a backward pass that, on
    its first call, does.
    """

    name: str
    make: Callable[[int], tuple[Any, ...]]
    call: Callable[..., torch.Tensor]
    longest: int = 2**31
    splits_the_card: bool = False
    tunes_for_minutes: bool = False


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


def operators() -> list[Peer]:
    """Ours, fla's if installed, and softmax attention."""
    ours = [
        Peer(f"chunk_quasar {layout}", _with_beta, _quasar(layout))
        for layout in ("interleaved", "causal")
    ]
    softmax = Peer(
        "softmax attention (SDPA)", qkv, _softmax, LONGEST_QUADRATIC
    )
    return [*ours, *_fla_operators(), softmax]


def _quasar(layout: str) -> Operator:
    return lambda *x: chunk_quasar(*x, layout=layout)[0]


def _softmax(*x: torch.Tensor) -> torch.Tensor:
    q, k, v = (t.transpose(1, 2) for t in x)
    return scaled_dot_product_attention(q, k, v, is_causal=True)


def _fla_operators() -> list[Peer]:
    try:
        from fla.ops.delta_rule import chunk_delta_rule
        from fla.ops.gated_delta_rule import chunk_gated_delta_rule
        from fla.ops.kda import chunk_kda
    except ImportError:
        return []

    def delta(q: Any, k: Any, v: Any, alpha: Any) -> torch.Tensor:
        return chunk_delta_rule(q, k, v, alpha, scale=1.0)[0]

    def split(q: Any, k: Any, v: Any, alpha: Any) -> torch.Tensor:
        marks = _marks(q.shape[1])
        return chunk_delta_rule(q, k, v, alpha, scale=1.0, cu_seqlens=marks)[0]

    def gated(q: Any, k: Any, v: Any, g: Any, alpha: Any) -> torch.Tensor:
        return chunk_gated_delta_rule(q, k, v, g, alpha, scale=1.0)[0]

    def kda(q: Any, k: Any, v: Any, g: Any, alpha: Any) -> torch.Tensor:
        return chunk_kda(q, k, v, g, alpha, scale=1.0)[0]

    return [
        Peer("fla chunk_delta_rule", _with_alpha, delta),
        Peer(
            "fla chunk_delta_rule, split",
            _with_alpha,
            split,
            splits_the_card=True,
        ),
        Peer(
            "fla chunk_gated_delta_rule",
            _with_decay,
            gated,
            tunes_for_minutes=True,
        ),
        Peer("fla chunk_kda", _with_decays, kda, tunes_for_minutes=True),
    ]


def layers() -> list[Peer]:
    """Whole layers of hidden size 512, in bfloat16."""
    ours = QuasarAttention(HIDDEN, HEAD_DIM, HEADS).to("cuda", torch.bfloat16)
    peers = [Peer("QuasarAttention", _hidden, lambda x: ours(x)[0])]
    try:
        from fla.layers import DeltaNet, KimiDeltaAttention
    except ImportError:
        return peers
    delta = DeltaNet(hidden_size=HIDDEN, num_heads=HEADS, mode="chunk")
    kimi = KimiDeltaAttention(
        hidden_size=HIDDEN, head_dim=HEAD_DIM, num_heads=HEADS
    )
    delta, kimi = (x.to("cuda", torch.bfloat16) for x in (delta, kimi))
    return [
        *peers,
        Peer("fla DeltaNet", _hidden, lambda x: delta(x)[0]),
        Peer(
            "fla DeltaNet, split",
            _hidden,
            lambda x: delta(x, cu_seqlens=_marks(x.shape[1]))[0],
            splits_the_card=True,
        ),
        Peer("fla KimiDeltaAttention", _hidden, lambda x: kimi(x)[0]),
    ]


def _hidden(tokens: int) -> tuple[torch.Tensor, ...]:
    return (random(1, tokens, HIDDEN),)
