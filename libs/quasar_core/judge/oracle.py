"""The truth that outputs are judged against.

This chunk form is the referee's own: it shares no code with the baseline
that miners start from. Its formulas are those of the operator's
definition, with the chunk of 64 tokens; tests hold it against the plain
recurrence.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from quasar_core.judge.inputs import Inputs

CHUNK = 64
LAMBDA_FLOOR = 1e-8

SEGMENT = 65_536
"""Tokens that are worked on at once: a million fit beside the windows."""


@dataclass(frozen=True)
class Truth:
    """o `[B, H, T, S]` and the final state `[B, H, S, S]`, head-first."""

    output: torch.Tensor
    state: torch.Tensor


@dataclass(frozen=True)
class Faults:
    """How a mutant departs from the operator; none of it: the truth.

    Each is a known way of being wrong: the scores' `mask` left out or not
    `inclusive`, a triangular solve cut after `solve_terms`, beta taken
    from the next head, the gate left out, the state rounded to bfloat16.
    """

    mask: bool = True
    inclusive: bool = True
    solve_terms: int | None = None
    shift_beta: bool = False
    skip_gate: bool = False
    round_state: bool = False


EXACT = Faults()


def truth(
    inputs: Inputs,
    dtype: torch.dtype = torch.float64,
    faults: Faults = EXACT,
    segment: int = SEGMENT,
) -> Truth:
    """The operator's output for these inputs, computed in `dtype`.

    T must be a multiple of 64. Nothing here remembers an earlier call. At
    most `segment` tokens are worked on at once, with the state handed on.
    """
    beta = inputs.beta.to(dtype).view(1, -1, 1)
    if faults.shift_beta:
        beta = beta.roll(1, dims=1)
    batch, heads, tokens, size = inputs.q.shape
    state = beta.new_zeros(batch * heads, size, size)
    if inputs.initial_state is not None:
        state = inputs.initial_state.to(dtype).reshape(state.shape)
    output = beta.new_empty(batch, heads, tokens, size)
    for start in range(0, tokens, segment):
        part = slice(start, start + segment)
        q, k, v = (
            x[:, :, part].to(dtype) for x in (inputs.q, inputs.k, inputs.v)
        )
        output[:, :, part], state = _stretch(q, k, v, beta, state, faults)
    return Truth(output, state.reshape(batch, heads, size, size))


def _stretch(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    beta: torch.Tensor,
    state: torch.Tensor,
    faults: Faults,
) -> tuple[torch.Tensor, torch.Tensor]:
    """One segment's output `[B, H, T, S]`, and the state after it."""
    length = (k * k).sum(-1)  # [B, H, T]
    alpha = -torch.expm1(-beta * length) / (length + LAMBDA_FLOOR)
    if faults.skip_gate:
        alpha = beta.expand_as(alpha) / (1 + beta * length)
    batch, heads, tokens, size = q.shape
    folded = (batch * heads, tokens // CHUNK, CHUNK, size)
    q, k, v = (x.reshape(folded) for x in (q, k, v))
    alpha = alpha.reshape(*folded[:3], 1)
    solved = _solve(k, torch.cat([alpha * k, alpha * v], -1), alpha, faults)
    w, u = solved.split(size, dim=-1)
    scores = q @ k.mT
    if faults.mask:
        scores = scores.tril(0 if faults.inclusive else -1)
    output, state = _walk(q, k, w, u, scores, state, faults)
    return output.reshape(batch, heads, tokens, size), state


def _solve(
    k: torch.Tensor, right: torch.Tensor, alpha: torch.Tensor, faults: Faults
) -> torch.Tensor:
    """(I + M)^-1 right, with M = strict_lower(diag(alpha) K K^T)."""
    lower = (alpha * (k @ k.mT)).tril(-1)
    if faults.solve_terms is None:
        return torch.linalg.solve_triangular(
            lower, right, upper=False, unitriangular=True
        )
    total = term = right
    for _ in range(faults.solve_terms):
        term = -(lower @ term)
        total = total + term
    return total


def _walk(
    q: torch.Tensor,
    k: torch.Tensor,
    w: torch.Tensor,
    u: torch.Tensor,
    scores: torch.Tensor,
    state: torch.Tensor,
    faults: Faults,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Chunk by chunk: D = U - W S0, O = Q S0 + scores D, S1 = S0 + K^T D."""
    output = torch.empty_like(u)
    for chunk in range(q.shape[1]):
        corrected = u[:, chunk] - w[:, chunk] @ state
        output[:, chunk] = torch.baddbmm(
            scores[:, chunk] @ corrected, q[:, chunk], state
        )
        state = torch.baddbmm(state, k[:, chunk].mT, corrected)
        if faults.round_state:
            state = state.to(torch.bfloat16).to(state.dtype)
    return output, state
