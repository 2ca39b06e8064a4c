"""Entries: verified submissions, as they come to the ladder."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """A verified submission: benchmark and logits both passed.

    `commit_block` is the block at which this hotkey first committed this
    identity in this league, in any round: it decides precedence. `identity`
    is the identity of the files. `original`: nobody else committed it in
    this league before, in any round. Raises ValueError for a score that is
    no positive number: what is missing is not a zero.
    """

    submission_id: str
    hotkey: str
    coldkey: str
    commit_block: int
    sequence_length: int
    league: str
    tokens_per_sec: float
    weighted_score: float
    speedup_vs_baseline: float
    identity: str
    original: bool = True

    def __post_init__(self) -> None:
        for value in (
            self.tokens_per_sec,
            self.weighted_score,
            self.speedup_vs_baseline,
        ):
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"{value} is no measured number")

    @property
    def work(self) -> tuple[str, str]:
        """What two entries have in common when one copies the other.

        The league and not the length: else the same code, sent one token
        longer, would be somebody else's work.
        """
        return (self.identity, self.league)

    @property
    def order(self) -> tuple[int, str]:
        """The order of commitment."""
        return (self.commit_block, self.submission_id)


def overall_score(entry: Entry) -> float:
    """What the overall board ranks by."""
    return entry.weighted_score


def league_score(entry: Entry) -> float:
    """What the board of one league ranks by."""
    return entry.tokens_per_sec


def in_order(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """The entries by commitment.

    Raises ValueError where two have one submission id.
    """
    ordered = tuple(sorted(entries, key=lambda entry: entry.order))
    if len({entry.submission_id for entry in ordered}) < len(ordered):
        raise ValueError("two entries have one submission id")
    return ordered
