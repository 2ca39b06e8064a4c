"""Lengths: a fork at one or every league's, and the largest that fits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from quasar_core.domain.leagues import leagues
from quasar_core.domain.workload import CHUNK
from quasar_core.errors import RejectionCode, Stage

from services.miner_agent.validation import Validation

NO_ROOM = frozenset({RejectionCode.OUT_OF_MEMORY, RejectionCode.MEMORY_LIMIT})
FIXED = frozenset({Stage.SMOKE, Stage.LOGITS})
"""Stages whose lengths are the same whatever length is judged."""
PROBES = 4
"""Lengths tried between the last that fits and the first that does not."""

Judge = Callable[[int], Validation]
"""Judge the fork at a length."""


@dataclass(frozen=True)
class OneLength:
    """A fork at one length.

    `largest_that_fits` is None where memory was no trouble, or the length
    does not matter to it; 0 where nothing fits.
    """

    validation: Validation
    largest_that_fits: int | None = None

    @property
    def accepted(self) -> bool:
        """Whether the workers would score it."""
        return self.validation.accepted

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return {
            **self.validation.as_dict(),
            "largest_that_fits": self.largest_that_fits,
        }

    def as_lines(self) -> list[str]:
        """For people."""
        return self.validation.as_lines() + _fitting(self.largest_that_fits)


@dataclass(frozen=True)
class FullValidation:
    """A fork at the leagues' lengths, ascending, as far as it went.

    `largest_that_fits` is None where memory was no trouble, 0 where nothing
    fits.
    """

    tried: tuple[tuple[str, Validation], ...]
    largest_that_fits: int | None = None

    @property
    def accepted(self) -> bool:
        """Whether every length was accepted."""
        return all(one.rejection is None for _, one in self.tried)

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return {
            "accepted": self.accepted,
            "largest_that_fits": self.largest_that_fits,
            "lengths": [
                {"league": league, **one.as_dict()}
                for league, one in self.tried
            ],
        }

    def as_lines(self) -> list[str]:
        """For people."""
        lines = []
        for league, one in self.tried:
            told = "; ".join(one.as_lines()[:2])
            lines.append(f"{league:>5} {one.sequence_length:>9}: {told}")
        return lines + _fitting(self.largest_that_fits)


def at_length(judge: Judge, length: int, probe: Judge) -> OneLength:
    """Judge at one length; out of memory, look for the largest that fits.

    `probe` judges the lengths below, where room is all that matters.
    """
    found = judge(length)
    rejection = found.rejection
    if rejection is None or rejection.code not in NO_ROOM:
        return OneLength(found)
    if rejection.stage in FIXED:
        return OneLength(found)
    return OneLength(found, _between(probe, 0, length))


def in_all_leagues(
    judge: Judge, longest: int, league_unit: int
) -> FullValidation:
    """Judge at each league's length up to `longest`, and at that one.

    Stops at the first rejection: what is wrong at one length is wrong. Out
    of memory, the largest length that does fit is looked for.
    """
    tried: list[tuple[str, Validation]] = []
    fitting = 0
    for league, length in _lengths(longest, league_unit):
        found = judge(length)
        tried.append((league, found))
        if found.rejection is None:
            fitting = length
            continue
        if found.rejection.code in NO_ROOM:
            best = _between(judge, fitting, length)
            return FullValidation(tuple(tried), best)
        break
    return FullValidation(tuple(tried))


def _lengths(longest: int, league_unit: int) -> Iterator[tuple[str, int]]:
    below = [
        (league.name, league.smallest_length)
        for league in leagues(league_unit)
        if league.smallest_length < longest
    ]
    yield from below
    yield below[-1][0] if below else "-", longest


def _between(judge: Judge, fits: int, fails: int) -> int:
    """The largest length that fits.

    Halved until one does, and then a few times more.
    """
    left = PROBES
    while left:
        middle = (fits + fails) // 2 // CHUNK * CHUNK
        if middle <= fits:
            break
        rejection = judge(middle).rejection
        if rejection is not None and rejection.code in NO_ROOM:
            fails = middle
        else:
            fits = middle
        left -= fits > 0
    return fits


def _fitting(largest: int | None) -> list[str]:
    """The line that tells it, where there is something to tell."""
    if largest is None:
        return []
    if largest == 0:
        return ["no length that was tried fits into memory"]
    return [f"the largest length that fits: {largest}"]
