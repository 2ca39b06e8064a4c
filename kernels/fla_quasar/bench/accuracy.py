"""How far off, beside fla, on inputs that remember: the worst token."""

# fla's operators hide their signatures
# pyright: reportCallIssue=false
from __future__ import annotations

import torch
from torch.nn.functional import normalize, silu

from ..ops.quasar import chunk_quasar
from .measuring import Measure
from .peers import HEAD_DIM, HEADS, alpha_of


def compare(family: str, tokens: int) -> Measure:
    """Worst row errors against float64, in bfloat16, causal, by operator."""
    q, k, v, beta = inputs_of(family, tokens, "cuda")
    truth, _ = chunk_quasar(
        q.double(), k.double(), v.double(), beta.double(), layout="causal"
    )
    o, _ = chunk_quasar(q, k, v, beta, layout="causal")
    errors = {"ours": worst_row_error(o, truth)}
    peer = _peer_error(q, k, v, beta, truth)
    if peer is not None:
        errors["fla chunk_delta_rule"] = peer
    return Measure("accuracy", family, tokens, parts=errors)


def _peer_error(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    beta: torch.Tensor,
    truth: torch.Tensor,
) -> float | None:
    try:
        from fla.ops.delta_rule import chunk_delta_rule
    except ImportError:
        return None
    o, _ = chunk_delta_rule(q, k, v, alpha_of(k, beta), scale=1.0)
    return worst_row_error(o, truth)


def inputs_of(
    family: str, tokens: int, device: str
) -> tuple[torch.Tensor, ...]:
    """q, k, v `[1, T, 8, 64]` bfloat16 and beta `[8]` float32."""
    torch.manual_seed(0)

    def normal(*size: int) -> torch.Tensor:
        return torch.randn(*(size or shape), device=device)

    shape = (1, tokens, HEADS, HEAD_DIM)
    q, k, v = silu(normal()), silu(normal()), silu(normal())
    beta = torch.rand(HEADS, device=device) + 0.7
    half = tokens // 2
    if family == "long memory":
        length = (HEAD_DIM / (2 * beta * tokens)).sqrt()
        k = normalize(normal(), dim=-1) * length[:, None]
        q[:, :half], v[:, half:] = 0, 0
    elif family == "subspace":
        k[:, :half, :, HEAD_DIM // 2 :] = 0
        k[:, half:, :, : HEAD_DIM // 2] = 0
        q[:, :half], v[:, half:] = 0, 0
    elif family == "stiff":
        common = normal(1, -(-tokens // 64), 1, HEADS, HEAD_DIM)
        common = common.expand(-1, -1, 64, -1, -1).flatten(1, 2)
        k = common[:, :tokens] + 0.15 * normal()
    elif family == "scaled":
        v = v * 100.0 ** torch.sign(normal(1, 1, HEADS, 1))
        q[:, :, 0] *= 30
        k[:, :, 0] *= 0.1
    narrow = tuple(x.to(torch.bfloat16).contiguous() for x in (q, k, v))
    return *narrow, beta


def worst_row_error(o: torch.Tensor, truth: torch.Tensor) -> float:
    """The largest ||o - o*|| / max(||o*||, 0.05 x rms row norm of a head).

    Both are `[B, T, H, S]`; NaN is infinitely wrong.
    """
    off = (o.double() - truth).norm(dim=-1)
    size = truth.norm(dim=-1)
    rms = size.square().mean(1, keepdim=True).sqrt()
    error = off / torch.maximum(size, 0.05 * rms)
    return float(torch.nan_to_num(error, nan=torch.inf).max())
