"""Levels: entries that are as good as the same, and who came first."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Mapping, Sequence

from quasar_core.domain.entries import Entry, in_order


def levels(
    entries: Iterable[Entry], min_improvement: float
) -> Mapping[str, int]:
    """Each entry's level by submission id; levels count from 0.

    In order of commitment, an entry whose score is within
    `min_improvement` of an earlier one's joins the level of the earliest
    such; so does one with the identity and length of an earlier one,
    however lucky or slow it ran. Any other founds the next level.
    """
    level_of: dict[str, int] = {}
    level_of_work: dict[tuple[str, str], int] = {}
    scores: list[tuple[float, int, int]] = []
    founded = 0
    for rank, entry in enumerate(in_order(entries)):
        level = level_of_work.get(entry.work)
        if level is None:
            level = _level_within(
                scores, entry.weighted_score, min_improvement
            )
        if level is None:
            level = founded
            founded += 1
        level_of[entry.submission_id] = level
        level_of_work.setdefault(entry.work, level)
        bisect.insort(scores, (entry.weighted_score, rank, level))
    return level_of


def founders(
    entries: Iterable[Entry], min_improvement: float
) -> frozenset[str]:
    """The submission ids of those who founded their level."""
    return frozenset(founders_by_level(entries, min_improvement).values())


def founders_by_level(
    entries: Iterable[Entry], min_improvement: float
) -> Mapping[int, str]:
    """Each level's founder, by submission id."""
    ordered = in_order(entries)
    level_of = levels(ordered, min_improvement)
    first: dict[int, str] = {}
    for entry in ordered:
        first.setdefault(level_of[entry.submission_id], entry.submission_id)
    return first


def records(
    entries: Iterable[Entry], min_improvement: float
) -> frozenset[str]:
    """The ids of those who were more than `min_improvement` above all."""
    best = 0.0
    found: set[str] = set()
    for entry in in_order(entries):
        if entry.weighted_score > (1 + min_improvement) * best:
            found.add(entry.submission_id)
        best = max(best, entry.weighted_score)
    return frozenset(found)


def _level_within(
    scores: Sequence[tuple[float, int, int]],
    score: float,
    min_improvement: float,
) -> int | None:
    """The level of the earliest entry whose score is near, if any is.

    Near is what neither of the two beats the other by.
    """
    factor = 1 + min_improvement
    first = bisect.bisect_left(
        scores, True, key=lambda known: score <= factor * known[0]
    )
    last = bisect.bisect_left(
        scores, True, key=lambda known: known[0] > factor * score
    )
    near = scores[first:last]
    return min(near, key=lambda known: known[1])[2] if near else None
