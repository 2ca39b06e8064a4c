"""The errors of an output's rows against the truth, and the worst of them."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from quasar_core.domain.tolerance import NORM_FLOOR, RowErrors

QUANTILE = 0.999


@dataclass(frozen=True)
class Comparison:
    """The row errors of a whole output, and where the worst row is."""

    errors: RowErrors
    head: int
    token: int


def head_norms(exact: torch.Tensor) -> torch.Tensor:
    """The rms row norm of each head of `[B, H, T, S]`: `[B, H, 1]`."""
    norms = exact.norm(dim=-1)
    return norms.square().mean(-1, keepdim=True).sqrt()


def row_errors(
    output: torch.Tensor,
    exact: torch.Tensor,
    head_rms_norm: torch.Tensor | None = None,
) -> torch.Tensor:
    """`domain.tolerance`'s error of every row: `[B, H, T]`, inf for NaN."""
    if head_rms_norm is None:
        head_rms_norm = head_norms(exact)
    difference = (output.to(exact.dtype) - exact).norm(dim=-1)
    scale = torch.maximum(exact.norm(dim=-1), NORM_FLOOR * head_rms_norm)
    # A row of a head that is zero throughout is right only if it is zero.
    smallest = torch.finfo(exact.dtype).tiny
    errors = difference / scale.clamp_min(smallest)
    return torch.nan_to_num(errors, nan=torch.inf, posinf=torch.inf)


def compare(output: torch.Tensor, exact: torch.Tensor) -> Comparison:
    """Every row of an output `[B, H, T, S]` against the truth.

    Only an output that is not finite has errors that are not.
    """
    errors = finite_errors(output, exact)
    heads, tokens = errors.shape[1:]
    place = int(errors.argmax())
    head, token = divmod(place % (heads * tokens), tokens)
    return Comparison(summary_of(errors), head, token)


def finite_errors(output: torch.Tensor, exact: torch.Tensor) -> torch.Tensor:
    """`row_errors`, infinite only where the output is not finite."""
    errors = row_errors(output, exact)
    if not bool(torch.isfinite(errors).all()):
        errors = row_errors(output.double(), exact.double())
    return errors


def summary_of(errors: torch.Tensor) -> RowErrors:
    """rms, quantile and worst of any number of row errors."""
    ranked = errors.reshape(-1)
    rank = min(ranked.numel(), int(QUANTILE * ranked.numel()) + 1)
    return RowErrors(
        rms=float(ranked.square().mean().sqrt()),
        quantile_999=float(ranked.kthvalue(rank).values),
        worst=float(ranked.max()),
    )
