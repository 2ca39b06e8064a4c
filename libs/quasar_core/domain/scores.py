"""Scores: from the samples of a timed stage to tokens per second."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

FEWEST_SAMPLES = 3
DEFAULT_CONFIDENCE = 0.95


@dataclass(frozen=True)
class DerivedScore:
    """Tokens per second of the layer, its interval, and the speed-up."""

    tokens_per_sec: float
    low: float
    high: float
    speedup_vs_baseline: float


def derive(
    samples: Sequence[float],
    baseline_samples: Sequence[float],
    back_to_back: float,
    rest: float,
    sequence_length: int,
    confidence: float = DEFAULT_CONFIDENCE,
) -> DerivedScore:
    """The score that samples (seconds, overhead taken off) amount to.

    `t_op = max(median of the single calls, back_to_back)`, so that work
    put off from one call to the next is charged; then
    `tokens_per_sec = T / (t_op + rest)`. The speed-up compares the medians
    of the whole layer with the trusted kernel in it. Raises ValueError for
    too few samples and for times that no clock shows.
    """
    _check(samples, baseline_samples, back_to_back, rest, sequence_length)
    shortest, longest = median_interval(samples, confidence)
    layer = max(median(samples), back_to_back) + rest
    score = DerivedScore(
        tokens_per_sec=sequence_length / layer,
        low=sequence_length / (max(longest, back_to_back) + rest),
        high=sequence_length / (max(shortest, back_to_back) + rest),
        speedup_vs_baseline=(median(baseline_samples) + rest) / layer,
    )
    if not math.isfinite(score.high * score.speedup_vs_baseline):
        raise ValueError("times too short to be divided by")
    return score


def median_interval(
    samples: Sequence[float], confidence: float = DEFAULT_CONFIDENCE
) -> tuple[float, float]:
    """Two samples that hold the median between them.

    The k-th smallest and the k-th largest sample miss the median with
    probability 2 P(B < k) for B binomial (n, 1/2), whatever the samples'
    distribution; k is the largest that keeps this within 1 - confidence,
    and 1 where no k does. Raises ValueError for a confidence outside
    (0, 1).
    """
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence lies in (0, 1), not at {confidence}")
    ordered = sorted(samples)
    count = len(ordered)
    missed, rank = 0.0, 0
    while rank < count // 2:
        missed += math.comb(count, rank) / 2 ** (count - 1)
        if missed > 1 - confidence:
            break
        rank += 1
    rank = max(rank, 1)
    return ordered[rank - 1], ordered[count - rank]


def drift(baseline_samples: Sequence[float]) -> float:
    """How far the trusted kernel's last block is from its first, relative.

    Only what the samples' own scatter does not explain is drift: the gap
    between the intervals that hold the two medians, and 0 where they meet.
    Raises ValueError for fewer than two samples.
    """
    half = len(baseline_samples) // 2
    first, last = baseline_samples[:half], baseline_samples[half:]
    if not first:
        raise ValueError("one block of samples cannot drift")
    lows, highs = zip(
        median_interval(first), median_interval(last), strict=True
    )
    return max(0.0, max(lows) - min(highs)) / median(first)


def _check(
    samples: Sequence[float],
    baseline_samples: Sequence[float],
    back_to_back: float,
    rest: float,
    sequence_length: int,
) -> None:
    if min(len(samples), len(baseline_samples)) < FEWEST_SAMPLES:
        raise ValueError(f"fewer than {FEWEST_SAMPLES} samples")
    if sequence_length < 1:
        raise ValueError(f"{sequence_length} is no sequence length")
    for seconds in (*samples, *baseline_samples, back_to_back):
        if not (math.isfinite(seconds) and seconds > 0):
            raise ValueError(f"{seconds} is no duration of a call")
    if not (math.isfinite(rest) and rest >= 0):
        raise ValueError(f"{rest} is no duration of the rest of the layer")
