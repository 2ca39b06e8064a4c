"""Challenges: which passages have to be run once more, and what stays open."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from quasar_core.domain.entries import Entry
from quasar_core.domain.ladder import (
    LadderSettings,
    Placing,
    UnpaidReason,
    place,
)
from quasar_core.domain.outcomes import Outcome, Outcomes, Pair


def needed(
    placings: Sequence[Placing], outcomes: Outcomes
) -> tuple[Pair, ...]:
    """The passages into paid places that nothing has decided yet.

    `placings` must be those of these outcomes. Every pair among the paid
    places and the first that found none left, whose upper one was committed
    later: it stands there because it passed the lower one. Best place
    first; at most ten.
    """
    contenders = _contenders(placings)
    return tuple(
        (upper.submission_id, lower.submission_id)
        for rank, upper in enumerate(contenders)
        for lower in contenders[rank + 1 :]
        if lower.order < upper.order
        and (upper.submission_id, lower.submission_id) not in outcomes
    )


def settled(
    entries: Iterable[Entry], settings: LadderSettings, outcomes: Outcomes
) -> Outcomes:
    """The outcomes with whatever is still open as undecided.

    With them no passage into a paid place is without its challenge: who
    was not shown to be better does not pass. What that brings into the
    paid places is looked at in the same way.
    """
    everybody = tuple(entries)
    known = dict(outcomes)
    while missing := needed(place(everybody, settings, known), known):
        known.update(dict.fromkeys(missing, Outcome.UNDECIDED))
    return known


def _contenders(placings: Sequence[Placing]) -> tuple[Entry, ...]:
    paid = [p.entry for p in placings if p.paid_place is not None]
    left_out = [
        p.entry
        for p in placings
        if p.unpaid_reason == UnpaidReason.NO_PLACE_LEFT
    ]
    return (*paid, *left_out[:1])
