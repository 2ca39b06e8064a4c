"""Entries: scored submissions as the rules rank them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from quasar_core.contracts.http import StandingsRow
from quasar_core.domain.ladder import Entry, Placing, place
from quasar_core.domain.outcomes import NONE_YET, Outcomes
from quasar_core.domain.precedence import Precedence
from quasar_core.domain.rewards import Rewards, shares
from quasar_core.domain.rounds import RoundSettings

from services.api.db.models import Submission


@dataclass(frozen=True)
class Ranking:
    """Places, and what each is paid: computed by the rules alone."""

    placings: tuple[Placing, ...]
    rewards: Rewards

    def share_of(self, placing: Placing) -> float:
        """The share that this placing is paid; 0 if it is not."""
        if placing.paid_place is None:
            return 0.0
        return self.rewards.by_hotkey.get(placing.entry.hotkey, 0.0)

    def rows(self) -> tuple[StandingsRow, ...]:
        """The placings as standings tell them, best first."""
        return tuple(self._row(placing) for placing in self.placings)

    def _row(self, placing: Placing) -> StandingsRow:
        entry = placing.entry
        return StandingsRow(
            place=placing.place,
            level=placing.level,
            submission_id=UUID(entry.submission_id),
            hotkey=entry.hotkey,
            coldkey=entry.coldkey,
            league=entry.league,
            target_sequence_length=entry.sequence_length,
            tokens_per_sec=entry.tokens_per_sec,
            weighted_score=entry.weighted_score,
            speedup_vs_baseline=entry.speedup_vs_baseline,
            commit_block=entry.commit_block,
            paid_place=placing.paid_place,
            share=self.share_of(placing),
            unpaid_reason=placing.unpaid_reason,
            founded_by=UUID(placing.founded_by),
        )


def rank(
    entries: Iterable[Entry],
    settings: RoundSettings,
    outcomes: Outcomes = NONE_YET,
) -> Ranking:
    """The ranking of a round's entries under its settings."""
    placings = place(entries, settings, outcomes)
    return Ranking(placings, shares(placings, settings.unfilled))


def entries_of(
    rows: Iterable[Submission], precedence: Precedence
) -> list[Entry]:
    """The entries of rows that have every number of a score."""
    return [_entry(row, precedence) for row in rows]


def _entry(row: Submission, precedence: Precedence) -> Entry:
    numbers = (
        row.tokens_per_sec,
        row.weighted_score,
        row.speedup_vs_baseline,
    )
    tokens_per_sec, score, speedup = numbers
    if tokens_per_sec is None or score is None or speedup is None:
        raise ValueError(f"submission {row.id} is scored without a score")
    if row.identity is None:
        raise ValueError(f"submission {row.id} is scored without a source")
    work = (row.identity, row.league)
    return Entry(
        submission_id=str(row.id),
        hotkey=row.hotkey,
        coldkey=row.coldkey,
        commit_block=precedence.block_of(
            row.hotkey, *work, otherwise=row.commit_block
        ),
        sequence_length=row.target_sequence_length,
        league=row.league,
        tokens_per_sec=tokens_per_sec,
        weighted_score=score,
        speedup_vs_baseline=speedup,
        identity=row.identity,
        original=precedence.is_original(row.hotkey, row.coldkey, *work),
    )
