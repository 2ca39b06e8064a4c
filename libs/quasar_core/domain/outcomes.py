"""Outcomes: what a challenge between two entries has shown."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from quasar_core.domain.scores import median_interval

CHALLENGE_CONFIDENCE = 0.99
FEWEST_CHALLENGE_SAMPLES = 8
"""With fewer, no two samples hold the median that surely between them."""


class Outcome(StrEnum):
    """How a challenge ended, for the entry that wants to pass."""

    WON = "won"
    """It is better by more than half of the least improvement."""

    NO_BETTER = "no_better"
    """It is not better by the least improvement: as good as the same."""

    UNDECIDED = "undecided"
    """The interval holds both, or the challenge never came to its end."""


Pair = tuple[str, str]
"""The submission that wants to pass, and the one that it would pass."""

Outcomes = Mapping[Pair, Outcome]

NONE_YET: Outcomes = MappingProxyType({})


@dataclass(frozen=True)
class Side:
    """One of the two, timed in the same job; times are in seconds."""

    samples: Sequence[float]
    back_to_back: float
    rest: float
    sequence_length: int
    multiplier: float

    def scores(self, confidence: float) -> tuple[float, float]:
        """Two weighted scores that hold the true one between them.

        Work that was put off from one call to the next is charged, as in a
        score.
        """
        shortest, longest = median_interval(self.samples, confidence)
        weight = self.sequence_length * self.multiplier
        return (
            weight / (max(longest, self.back_to_back) + self.rest),
            weight / (max(shortest, self.back_to_back) + self.rest),
        )


@dataclass(frozen=True)
class Ratio:
    """Bounds of challenger over defender, in weighted scores."""

    low: float
    high: float


def ratio_of(
    challenger: Side,
    defender: Side,
    confidence: float = CHALLENGE_CONFIDENCE,
) -> Ratio:
    """The bounds that the samples amount to; each holds by `confidence`.

    Each side's interval misses its median with half of what is left on
    either end, so that both together miss a bound with no more than all of
    it, whatever the distribution. Raises ValueError for too few samples,
    and for times that no clock shows.
    """
    for side in (challenger, defender):
        _check(side)
    low, high = challenger.scores(confidence)
    worst, best = defender.scores(confidence)
    ratio = Ratio(low / best, high / worst)
    if not (ratio.low > 0 and math.isfinite(ratio.high)):
        raise ValueError("times that cannot be divided by each other")
    return ratio


def outcome_of(ratio: Ratio, min_improvement: float) -> Outcome:
    """What the bounds show of a passage."""
    if ratio.low > 1 + min_improvement / 2:
        return Outcome.WON
    if ratio.high <= 1 + min_improvement:
        return Outcome.NO_BETTER
    return Outcome.UNDECIDED


def _check(side: Side) -> None:
    if len(side.samples) < FEWEST_CHALLENGE_SAMPLES:
        raise ValueError(f"fewer than {FEWEST_CHALLENGE_SAMPLES} samples")
    for seconds in (*side.samples, side.back_to_back):
        if not (math.isfinite(seconds) and seconds > 0):
            raise ValueError(f"{seconds} is no duration of a call")
    if not (math.isfinite(side.rest) and side.rest >= 0):
        raise ValueError(f"{side.rest} is no duration of the layer's rest")
