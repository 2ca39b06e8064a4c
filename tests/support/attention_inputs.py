"""Inputs that test a QuasarAttention kernel, and how far a result is off.

Random keys make the function forget within a few hundred tokens, so most
of these families remember.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch.nn.functional import normalize, pad, silu

FAMILIES = ("plain", "long_memory", "subspace", "stiff", "scaled")
LENGTHS = (1, 63, 64, 65, 257)


@dataclass(frozen=True)
class Case:
    """The arguments of an operator, q, k, v `[B, T, H, S]`."""

    q: torch.Tensor
    k: torch.Tensor
    v: torch.Tensor
    beta: torch.Tensor
    initial_state: torch.Tensor

    def to(self, dtype: torch.dtype) -> Case:
        """The same numbers with q, k, v in `dtype`."""
        return replace(
            self, q=self.q.to(dtype), k=self.k.to(dtype), v=self.v.to(dtype)
        )

    def doubled(self) -> Case:
        """The same numbers, all in float64."""
        return Case(*(x.double() for x in self.tensors))

    def wanting_gradients(self) -> Case:
        """The same numbers, as leaves that gather gradients."""
        return Case(
            *(x.detach().clone().requires_grad_() for x in self.tensors)
        )

    @property
    def tensors(self) -> tuple[torch.Tensor, ...]:
        """All five arguments, in the operators' order."""
        return self.q, self.k, self.v, self.beta, self.initial_state


def make_case(
    family: str,
    tokens: int,
    *,
    heads: int = 2,
    head_dim: int = 16,
    batch: int = 1,
    layout: str = "causal",
    seed: int = 0,
    device: str = "cpu",
) -> Case:
    """A case of `family`, in float32, with its structure in `layout`.

    Drawn head-first, where tokens follow one another, and then written as
    the layout wants it; in the interleaved layout that is exact where
    `tokens` is a multiple of 64.
    """
    generator = torch.Generator().manual_seed(seed)
    shape = (batch, heads, tokens, head_dim)

    def normal(*size: int) -> torch.Tensor:
        return torch.randn(
            size or shape, generator=generator, dtype=torch.float64
        )

    q, k, v = silu(normal()), silu(normal()), silu(normal())
    beta = torch.rand(heads, generator=generator, dtype=torch.float64) + 0.7
    state = normal(batch, heads, head_dim, head_dim)
    half = tokens // 2
    if family == "long_memory":
        length = (head_dim / (2 * beta[:, None, None] * tokens)).sqrt()
        k = normalize(normal(), dim=-1) * length
        q[:, :, :half], v[:, :, half:] = 0, 0
    elif family == "subspace":
        k[:, :, :half, head_dim // 2 :] = 0
        k[:, :, half:, : head_dim // 2] = 0
        q[:, :, :half], v[:, :, half:] = 0, 0
    elif family == "stiff":
        chunks = -(-tokens // 64)
        common = normal(batch, heads, chunks, 1, head_dim)
        common = common.expand(-1, -1, -1, 64, -1).flatten(2, 3)
        signs = torch.sign(normal(batch, heads, tokens, 1))
        k = signs * (2 * common[:, :, :tokens] + 0.3 * normal())
        q = normal()
    elif family == "scaled":
        v = v * (100.0 ** torch.sign(normal(batch, heads, 1, 1)))
        q[:, 0] *= 30
        k[:, 0] *= 0.1
    x = Case(q, k, v, beta, state)
    x = Case(*(t.float().to(device) for t in x.tensors))
    if layout == "causal":
        return replace(
            x, **{n: getattr(x, n).transpose(1, 2) for n in ("q", "k", "v")}
        )
    written = (batch, tokens, heads, head_dim)
    return replace(
        x,
        q=x.q.reshape(written),
        k=x.k.reshape(written),
        v=x.v.reshape(written),
    )


def worst_row_error(o: torch.Tensor, truth: torch.Tensor) -> float:
    """The largest ||o - o*|| / max(||o*||, 0.05 x rms row norm of the head).

    Rows that are zero in the truth of a head that is all zero must be zero:
    they count as infinitely wrong otherwise. NaN is infinitely wrong.
    """
    off = (o.double() - truth.double()).norm(dim=-1)
    size = truth.double().norm(dim=-1)
    rms = size.square().mean(1, keepdim=True).sqrt()
    scale = torch.maximum(size, 0.05 * rms)
    error = torch.where(off == 0, 0.0, off / scale)
    return float(torch.nan_to_num(error, nan=torch.inf).max())


def read_by_hand(x: torch.Tensor) -> torch.Tensor:
    """The interleaved reading of `[B, T, H, S]`, row by row.

    Row r = t * H + h of the padded memory is position r % T' of head
    r // T'.
    """
    batch, tokens, heads, head_dim = x.shape
    longer = 64 * -(-tokens // 64)
    x = pad(x, (0, 0, 0, 0, 0, longer - tokens))
    read = x.new_zeros(batch, heads, longer, head_dim)
    for t in range(longer):
        for h in range(heads):
            row = t * heads + h
            read[:, row // longer, row % longer] = x[:, t, h]
    return read
