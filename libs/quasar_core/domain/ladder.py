"""The ladder: who stands above whom, in which level, and who can be paid."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from quasar_core.domain.entries import (
    Entry,
    in_order,
    league_score,
    overall_score,
)
from quasar_core.domain.levels import (
    founders,
    founders_by_level,
    levels,
    records,
)
from quasar_core.domain.outcomes import NONE_YET, Outcome, Outcomes

__all__ = [
    "PAID_PLACES",
    "Entry",
    "LadderSettings",
    "Placing",
    "UnpaidReason",
    "climb",
    "founders",
    "league_board",
    "league_score",
    "levels",
    "overall_score",
    "place",
    "records",
]

PAID_PLACES = 4


class UnpaidReason(StrEnum):
    """Why an entry has no paid place."""

    NOT_A_FOUNDER = "not_a_founder"
    NOT_THE_ORIGINAL = "not_the_original"
    NOT_A_RECORD = "not_a_record"
    NOT_FASTER_THAN_BASELINE = "not_faster_than_baseline"
    COLDKEY_ALREADY_PAID = "coldkey_already_paid"
    NO_PLACE_LEFT = "no_place_left"


class LadderSettings(Protocol):
    """What of a round's settings the ladder reads."""

    @property
    def min_improvement(self) -> float:
        """The least relative gain that counts, such as 0.015."""
        ...

    @property
    def must_beat_baseline(self) -> bool:
        """Whether only those above the trusted kernel are paid."""
        ...

    @property
    def one_paid_per_coldkey(self) -> bool:
        """Whether a coldkey is paid for one place only."""
        ...

    @property
    def records_only(self) -> bool:
        """Whether only records of their time are paid."""
        ...


@dataclass(frozen=True)
class Placing:
    """An entry on the ladder: place and level count from 1 and 0.

    `founded_by` is the submission that founded the level.
    """

    entry: Entry
    place: int
    level: int
    founder: bool
    founded_by: str
    paid_place: int | None
    unpaid_reason: str | None


def climb(
    entries: Iterable[Entry],
    min_improvement: float,
    score: Callable[[Entry], float] = overall_score,
    outcomes: Outcomes = NONE_YET,
) -> tuple[Entry, ...]:
    """The ladder, best first, with each miner's highest entry only.

    In order of commitment each entry starts last and moves up while its
    score is more than `min_improvement` above the entry directly over it.
    So nobody passes an entry that he does not beat, improving never costs
    a place, and a copy never passes its original. A challenge that was not
    won stops it as well; where there was none, the scores decide.
    """
    ladder: list[Entry] = []
    for entry in in_order(entries):
        above = len(ladder)
        while above > 0 and _passes(
            entry, ladder[above - 1], min_improvement, score, outcomes
        ):
            above -= 1
        ladder.insert(above, entry)
    highest: dict[str, Entry] = {}
    for entry in ladder:
        highest.setdefault(entry.hotkey, entry)
    return tuple(highest.values())


def place(
    entries: Iterable[Entry],
    settings: LadderSettings,
    outcomes: Outcomes = NONE_YET,
) -> tuple[Placing, ...]:
    """The whole ladder: places, levels, and who can be paid.

    Whatever the order of `entries`, the answer is the same. Raises
    ValueError where two have one submission id.
    """
    all_entries = in_order(entries)
    gain = settings.min_improvement
    level_of = levels(all_entries, gain, outcomes)
    founded_by = founders_by_level(all_entries, gain, outcomes)
    record = records(all_entries, gain)
    paid_coldkeys: set[str] = set()
    placings: list[Placing] = []
    paid = 0
    ladder = climb(all_entries, gain, outcomes=outcomes)
    for number, entry in enumerate(ladder, start=1):
        level = level_of[entry.submission_id]
        founder = founded_by[level] == entry.submission_id
        reason = _unpaid_reason(
            entry,
            settings,
            founder=founder,
            record=entry.submission_id in record,
            coldkey_paid=entry.coldkey in paid_coldkeys,
            places_left=PAID_PLACES - paid,
        )
        if reason is None:
            paid += 1
            paid_coldkeys.add(entry.coldkey)
        placings.append(
            Placing(
                entry=entry,
                place=number,
                level=level,
                founder=founder,
                founded_by=founded_by[level],
                paid_place=paid if reason is None else None,
                unpaid_reason=reason,
            )
        )
    return tuple(placings)


def league_board(
    entries: Iterable[Entry], league: str, min_improvement: float
) -> tuple[Entry, ...]:
    """The board of one league, by plain tokens per second."""
    return climb(
        (entry for entry in entries if entry.league == league),
        min_improvement,
        league_score,
    )


def _passes(
    entry: Entry,
    above: Entry,
    min_improvement: float,
    score: Callable[[Entry], float],
    outcomes: Outcomes,
) -> bool:
    pair = (entry.submission_id, above.submission_id)
    return (
        entry.work != above.work
        and score(entry) > (1 + min_improvement) * score(above)
        and outcomes.get(pair, Outcome.WON) is Outcome.WON
    )


def _unpaid_reason(
    entry: Entry,
    settings: LadderSettings,
    *,
    founder: bool,
    record: bool,
    coldkey_paid: bool,
    places_left: int,
) -> UnpaidReason | None:
    needed = 1 + settings.min_improvement
    refusals = (
        (not founder, UnpaidReason.NOT_A_FOUNDER),
        (not entry.original, UnpaidReason.NOT_THE_ORIGINAL),
        (settings.records_only and not record, UnpaidReason.NOT_A_RECORD),
        (
            settings.must_beat_baseline
            and entry.speedup_vs_baseline <= needed,
            UnpaidReason.NOT_FASTER_THAN_BASELINE,
        ),
        (
            settings.one_paid_per_coldkey and coldkey_paid,
            UnpaidReason.COLDKEY_ALREADY_PAID,
        ),
        (places_left == 0, UnpaidReason.NO_PLACE_LEFT),
    )
    return next((reason for refused, reason in refusals if refused), None)
