"""The judge's inputs: one generator that mixes families per head and span.

Random normal keys make the operator forget within a few hundred tokens, so
a kernel that drops its state would pass on them. Here each head gets spans
of tokens of several families, cut at secret places:

* plain: silu(normal), as the layer produces;
* memory: keys so small that n tokens are remembered, with values that all
  but vanish after a split, so that later outputs depend on old state;
* subspace: keys in one half of the dimensions before a split and in the
  other half after it, so that old state survives untouched;
* stiff: keys nearly parallel with alpha * lambda near 1, where a truncated
  triangular solve diverges.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

import torch
from torch.nn import functional

from quasar_core.judge.seeds import CPU, Seeds
from quasar_core.judge.shapes import CallShape, ElementType

MEMORIES = (512, 4_096, 65_536)
"""Tokens that a memory span remembers; the span's own length is another."""

AFTERGLOW = 0.02
"""Values after a memory span's split, against those before it."""

STIFF_NOISE = 0.15
"""How far a stiff key strays from its block's direction."""

STIFF_BLOCK = 64
SMALLEST_SPAN = 16

DTYPES = {
    ElementType.FLOAT32: torch.float32,
    ElementType.BFLOAT16: torch.bfloat16,
}

PLAIN, MEMORY, SUBSPACE, STIFF = "plain", "memory", "subspace", "stiff"
FAMILIES = (MEMORY, SUBSPACE, STIFF, PLAIN)


@dataclass(frozen=True)
class Span:
    """Tokens `start` to `end` of one head belong to one family."""

    start: int
    end: int
    family: str

    @property
    def length(self) -> int:
        """Tokens of the span."""
        return self.end - self.start


@dataclass(frozen=True)
class Origin:
    """Which draw of a run's seeds it was: enough to draw it again."""

    stage: str
    call: int
    scaled: bool


@dataclass(frozen=True)
class Inputs:
    """What one call is given, head-first, and which families it mixes.

    q, k, v: `[B, H, T, S]`; beta: `[H]` float32; initial_state:
    `[B, H, S, S]` float32 or None. `spans[h]` are head h's, in order.
    """

    shape: CallShape
    q: torch.Tensor
    k: torch.Tensor
    v: torch.Tensor
    beta: torch.Tensor
    initial_state: torch.Tensor | None
    spans: tuple[tuple[Span, ...], ...]
    origin: Origin | None = None

    @property
    def sections(self) -> tuple[torch.Tensor, ...]:
        """The tensors in the order in which they lie in X."""
        tensors = (self.q, self.k, self.v, self.beta)
        if self.initial_state is None:
            return tensors
        return (*tensors, self.initial_state)

    def family_at(self, head: int, token: int) -> str:
        """The family of one row."""
        for span in self.spans[head]:
            if token < span.end:
                return span.family
        return PLAIN


def draw_inputs(
    seeds: Seeds,
    stage: str,
    call: int,
    shape: CallShape,
    *,
    scaled: bool = False,
    device: torch.device = CPU,
) -> Inputs:
    """The inputs of one call; `scaled` spreads the heads' magnitudes.

    They are drawn where they are used, by `device`'s own generator.
    """
    chance = seeds.chance(stage, call, "spans")
    noise = seeds.generator(stage, call, "noise", device)
    size = (shape.batch, shape.heads, shape.tokens, shape.head_dim)
    q, k, v = (functional.silu(_normal(size, noise)) for _ in range(3))
    beta = _betas(shape.heads, noise)
    spans = tuple(
        _cut(primary, shape.tokens, chance)
        for primary in _primaries(shape.heads, chance)
    )
    for head, pieces in enumerate(spans):
        for span in pieces:
            _shape_span(k, v, head, span, float(beta[head]), chance, noise)
    if scaled:
        scales = _scales(shape.heads, chance).to(device)
        v.mul_(scales.view(1, -1, 1, 1))
    state = None
    if shape.initial_state:
        edge = shape.head_dim
        state = _normal((*size[:2], edge, edge), noise)
    dtype = DTYPES[shape.element]
    return Inputs(
        shape,
        q.to(dtype),
        k.to(dtype),
        v.to(dtype),
        beta,
        state,
        spans,
        Origin(stage, call, scaled),
    )


def _normal(size: tuple[int, ...], noise: torch.Generator) -> torch.Tensor:
    return torch.randn(size, generator=noise, device=noise.device)


def _betas(heads: int, noise: torch.Generator) -> torch.Tensor:
    # As the layer starts: softplus(log U(1, 16)).
    uniform = torch.rand(heads, generator=noise, device=noise.device) * 15 + 1
    return functional.softplus(uniform.log())


def _primaries(heads: int, chance: random.Random) -> list[str]:
    """A family for each head's longest span: each family comes up."""
    kinds = [FAMILIES[head % len(FAMILIES)] for head in range(heads)]
    chance.shuffle(kinds)
    return kinds


def _cut(primary: str, tokens: int, chance: random.Random) -> tuple[Span, ...]:
    """A span of another family, then one of the primary, or one alone."""
    cut = int(tokens * chance.uniform(0.05, 0.4))
    if cut < SMALLEST_SPAN:
        return (Span(0, tokens, primary),)
    first = chance.choice(FAMILIES)
    return Span(0, cut, first), Span(cut, tokens, primary)


def _shape_span(
    k: torch.Tensor,
    v: torch.Tensor,
    head: int,
    span: Span,
    beta: float,
    chance: random.Random,
    noise: torch.Generator,
) -> None:
    keys = k[:, head, span.start : span.end]
    values = v[:, head, span.start : span.end]
    split = int(span.length * chance.uniform(0.4, 0.6))
    if span.family == MEMORY:
        _remember(keys, values, split, beta, chance, noise)
    elif span.family == SUBSPACE:
        half = keys.shape[-1] // 2
        keys[:, :split, half:] = 0
        keys[:, split:, :half] = 0
    elif span.family == STIFF:
        _stiffen(keys, noise)


def _remember(
    keys: torch.Tensor,
    values: torch.Tensor,
    split: int,
    beta: float,
    chance: random.Random,
    noise: torch.Generator,
) -> None:
    """Keys with ||k||^2 = S / (2 beta n): n tokens are remembered."""
    length, size = keys.shape[-2:]
    n = max(length, chance.choice(MEMORIES))
    keys.copy_(_normal(tuple(keys.shape), noise))
    norm = keys.norm(dim=-1, keepdim=True)
    keys.mul_(math.sqrt(size / (2 * beta * n))).div_(norm)
    values[:, split:].mul_(AFTERGLOW)


def _stiffen(keys: torch.Tensor, noise: torch.Generator) -> None:
    """Keys that share a direction for a block of tokens."""
    batch, length, size = keys.shape
    blocks = -(-length // STIFF_BLOCK)
    shared = _normal((batch, blocks, size), noise)
    shared = shared.repeat_interleave(STIFF_BLOCK, dim=1)[:, :length]
    stray = _normal(tuple(keys.shape), noise)
    keys.copy_(shared + STIFF_NOISE * stray)


def _scales(heads: int, chance: random.Random) -> torch.Tensor:
    """From 1e-2 to 1e2 per head, one head far above all others."""
    scales = [10 ** chance.uniform(-2, 1) for _ in range(heads)]
    scales[chance.randrange(heads)] = 100.0
    return torch.tensor(scales)
