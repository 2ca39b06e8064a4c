"""Tolerances: numbers in, verdict out, for outputs and for logits.

The error of a row (one token of one head) is
`||o - o*|| / max(||o*||, 0.05 x the rms row norm of that head)`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from quasar_core.errors import RejectionCode

CPU_ROW_ERROR_BOUND = 1e-4
"""For float32: honest kernels reach 2e-6, known mutants exceed 5e-3."""

BFLOAT16_FLOOR = 2.0**-9
"""No bound in bf16 is below this: what the truth itself loses by rounding."""

SHARE_BOUND = 1.0
"""Errors that are told as shares of the trusted kernel's bounds."""

NORM_FLOOR = 0.05
"""A row counts as at least this share of its head's rms row norm."""

MUTANT_MARGIN = 10.0
"""Inputs that show a stored mutant by less are drawn again."""

BFLOAT16_STATE_MARGIN = 2.0
"""The margin for the mutant that keeps its state in bf16."""

DEFAULT_COSINE_SIM_THRESHOLD = 0.99
DEFAULT_MAX_DIFF_THRESHOLD = 0.1

NOISE_SHARE = 0.5
"""Two honest kernels may use up this much of the logit thresholds."""


@dataclass(frozen=True)
class RowErrors:
    """The row errors of one output: rms, 99.9 % quantile and worst.

    Non-finite outputs have non-finite errors.
    """

    rms: float
    quantile_999: float
    worst: float


@dataclass(frozen=True)
class ErrorFactors:
    """How far beyond the trusted kernel's own errors one may go."""

    rms: float = 1.5
    quantile_999: float = 2.0
    worst: float = 3.0


@dataclass(frozen=True)
class Breach:
    """A bound that was passed: which, by what, and what it was."""

    code: RejectionCode
    measure: str
    value: float
    bound: float


def row_error(
    difference_norm: float, truth_norm: float, head_rms_norm: float
) -> float:
    """The error of one row, by the formula above.

    A row of a head that is zero throughout is right only if it is zero.
    """
    scale = max(truth_norm, NORM_FLOOR * head_rms_norm)
    if scale > 0 or math.isnan(scale):
        return difference_norm / scale
    return 0.0 if difference_norm == 0 else math.inf


def check_absolute(
    errors: RowErrors, bound: float = CPU_ROW_ERROR_BOUND
) -> Breach | None:
    """The breach of a worst-row bound, if any; non-finite comes first."""
    breach = _non_finite(errors, bound)
    if breach is None and errors.worst > bound:
        return Breach(
            RejectionCode.OUTPUT_MISMATCH, "worst", errors.worst, bound
        )
    return breach


def check_relative(
    errors: RowErrors,
    trusted: RowErrors,
    factors: ErrorFactors | None = None,
    floor: float = 0.0,
) -> Breach | None:
    """The first breach of the bounds that the trusted kernel sets, if any.

    `trusted` are the trusted kernel's errors on this very input in this
    dtype; `floor` is the least bound, for inputs on which it is exact.
    """
    bounds = _relative_bounds(errors, trusted, factors, floor)
    breach = _non_finite(errors, bounds[-1][2])
    if breach is not None:
        return breach
    for measure, value, bound in bounds:
        if value > bound:
            return Breach(RejectionCode.OUTPUT_MISMATCH, measure, value, bound)
    return None


def worst_share(
    errors: RowErrors,
    trusted: RowErrors,
    factors: ErrorFactors | None = None,
    floor: float = 0.0,
) -> float:
    """The largest error, as a share of the bound that `check_relative` sets.

    Infinite for errors that are not finite, and for any error where the
    bound is zero.
    """
    return max(
        _share(value, bound)
        for _, value, bound in _relative_bounds(
            errors, trusted, factors, floor
        )
    )


def _relative_bounds(
    errors: RowErrors,
    trusted: RowErrors,
    factors: ErrorFactors | None,
    floor: float,
) -> tuple[tuple[str, float, float], ...]:
    """(measure, error, bound), the most telling measure first."""
    factors = factors or ErrorFactors()
    bounds = (
        ("rms", errors.rms, factors.rms * trusted.rms),
        (
            "quantile_999",
            errors.quantile_999,
            factors.quantile_999 * trusted.quantile_999,
        ),
        ("worst", errors.worst, factors.worst * trusted.worst),
    )
    return tuple(
        (measure, value, max(floor, bound)) for measure, value, bound in bounds
    )


def _share(value: float, bound: float) -> float:
    if value == 0:
        return 0.0
    if not math.isfinite(value) or bound == 0:
        return math.inf
    return value / bound


def inputs_can_tell(
    mutant_error: float, bound: float, margin: float = MUTANT_MARGIN
) -> bool:
    """Whether inputs show a mutant: its error is `margin` bounds or more.

    A mutant that yields NaN is shown.
    """
    return not mutant_error < margin * bound


def logits_breach(
    cosine_sim: float,
    max_diff: float,
    cosine_sim_threshold: float = DEFAULT_COSINE_SIM_THRESHOLD,
    max_diff_threshold: float = DEFAULT_MAX_DIFF_THRESHOLD,
) -> Breach | None:
    """The breach at the worst captured position, if any.

    Both must hold: cosine similarity at least, and the largest absolute
    difference at most, its threshold. Non-finite fails first.
    """
    if not (math.isfinite(cosine_sim) and math.isfinite(max_diff)):
        return Breach(
            RejectionCode.NON_FINITE, "max_diff", max_diff, max_diff_threshold
        )
    if cosine_sim < cosine_sim_threshold:
        return Breach(
            RejectionCode.LOGITS_DIFFER,
            "cosine_sim",
            cosine_sim,
            cosine_sim_threshold,
        )
    if max_diff > max_diff_threshold:
        return Breach(
            RejectionCode.LOGITS_DIFFER,
            "max_diff",
            max_diff,
            max_diff_threshold,
        )
    return None


def noise_is_small(
    cosine_sim: float,
    max_diff: float,
    cosine_sim_threshold: float = DEFAULT_COSINE_SIM_THRESHOLD,
    max_diff_threshold: float = DEFAULT_MAX_DIFF_THRESHOLD,
) -> bool:
    """Whether two honest kernels differ by half the thresholds at most."""
    return (
        1 - cosine_sim <= NOISE_SHARE * (1 - cosine_sim_threshold)
        and max_diff <= NOISE_SHARE * max_diff_threshold
    )


def _non_finite(errors: RowErrors, bound: float) -> Breach | None:
    for measure, value in (
        ("worst", errors.worst),
        ("rms", errors.rms),
        ("quantile_999", errors.quantile_999),
    ):
        if not math.isfinite(value):
            return Breach(RejectionCode.NON_FINITE, measure, value, bound)
    return None
