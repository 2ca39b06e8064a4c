"""Levels: entries that are as good as the same, and who came first."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Mapping, Sequence

from quasar_core.domain.entries import Entry, in_order
from quasar_core.domain.outcomes import NONE_YET, Outcome, Outcomes


def levels(
    entries: Iterable[Entry],
    min_improvement: float,
    outcomes: Outcomes = NONE_YET,
) -> Mapping[str, int]:
    """Each entry's level by submission id; levels count from 0.

    In order of commitment, an entry whose score is within
    `min_improvement` of an earlier one's joins the level of the earliest
    such; so does one with the identity and length of an earlier one,
    however lucky or slow it ran, and one that a challenge has shown to be
    no better than an earlier one. Any other founds the next level.
    """
    level_of: dict[str, int] = {}
    level_of_work: dict[tuple[str, str], int] = {}
    scores: list[tuple[float, int, int]] = []
    founded = 0
    matched = _matched(outcomes)
    for rank, entry in enumerate(in_order(entries)):
        level = level_of_work.get(entry.work)
        if level is None:
            equals = matched.get(entry.submission_id, ())
            level = _earliest(level_of, equals)
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
    entries: Iterable[Entry],
    min_improvement: float,
    outcomes: Outcomes = NONE_YET,
) -> frozenset[str]:
    """The submission ids of those who founded their level."""
    by_level = founders_by_level(entries, min_improvement, outcomes)
    return frozenset(by_level.values())


def founders_by_level(
    entries: Iterable[Entry],
    min_improvement: float,
    outcomes: Outcomes = NONE_YET,
) -> Mapping[int, str]:
    """Each level's founder, by submission id."""
    ordered = in_order(entries)
    level_of = levels(ordered, min_improvement, outcomes)
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


def _matched(outcomes: Outcomes) -> Mapping[str, Sequence[str]]:
    """Whom each entry was shown to be no better than."""
    found: dict[str, list[str]] = {}
    for (challenger, defender), outcome in outcomes.items():
        if outcome is Outcome.NO_BETTER:
            found.setdefault(challenger, []).append(defender)
    return found


def _earliest(
    level_of: Mapping[str, int], submissions: Iterable[str]
) -> int | None:
    """The first founded of these submissions' levels, if one is known."""
    known = [level_of[one] for one in submissions if one in level_of]
    return min(known, default=None)


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
