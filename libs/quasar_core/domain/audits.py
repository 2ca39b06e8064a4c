"""Audits: whether a standing is what judging its source again gives."""

from __future__ import annotations

import math
from dataclasses import dataclass

EXACTLY = 1e-9
"""What is only computed again must come out the same."""


@dataclass(frozen=True)
class Claim:
    """What a frozen standing says of a submission."""

    tokens_per_sec: float
    speedup_vs_baseline: float
    weighted_score: float
    multiplier: float


@dataclass(frozen=True)
class Rejudged:
    """What judging the source again gave: a rejection's code, or a speed."""

    rejection: str | None = None
    tokens_per_sec: float | None = None
    speedup_vs_baseline: float | None = None


def contradictions(
    claim: Claim, reported_tokens_per_sec: float | None
) -> tuple[str, ...]:
    """What does not add up in the standing itself, no clock needed.

    `reported_tokens_per_sec` is derived from the samples that the API
    shows of this submission, where it shows any.
    """
    found: list[str] = []
    weighted = claim.tokens_per_sec * claim.multiplier
    if not math.isclose(claim.weighted_score, weighted, rel_tol=EXACTLY):
        found.append(
            f"a weighted score of {claim.weighted_score:.6g} is not"
            f" {claim.tokens_per_sec:.6g} tokens/s times {claim.multiplier:g}"
        )
    if reported_tokens_per_sec is not None and not math.isclose(
        claim.tokens_per_sec, reported_tokens_per_sec, rel_tol=EXACTLY
    ):
        found.append(
            f"{claim.tokens_per_sec:.6g} tokens/s stand, its own samples"
            f" amount to {reported_tokens_per_sec:.6g}"
        )
    return tuple(found)


def disagreements(
    claim: Claim, rejudged: Rejudged, tolerance: float
) -> tuple[str, ...]:
    """Where judging again says otherwise.

    Machines differ, so what is compared is the speed-up over the trusted
    kernel, measured in the same job: their ratio may be up to
    `1 + tolerance`, either way. Raises ValueError for no tolerance.
    """
    if not (math.isfinite(tolerance) and tolerance > 0):
        raise ValueError(f"{tolerance} is no tolerance")
    if rejudged.rejection is not None:
        return (f"it is rejected here: {rejudged.rejection}",)
    here, there = rejudged.speedup_vs_baseline, claim.speedup_vs_baseline
    if here is None:
        return ("it was not measured here",)
    positive = there > 0 and here > 0
    if positive and max(here / there, there / here) <= 1 + tolerance:
        return ()
    apart = f"more than {tolerance:.0%} apart"
    return (f"{there:.3f} x the baseline stand, {here:.3f} x here: {apart}",)
