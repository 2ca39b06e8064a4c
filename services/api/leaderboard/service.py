"""Boards and standings: made from scored submissions, kept while valid."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from quasar_core.contracts.http import (
    Explanation,
    Leaderboard,
    Standings,
    StandingsRow,
)
from quasar_core.domain.rounds import RoundSettings
from sqlalchemy.orm import Session

from services.api.challenges import repository as challenges
from services.api.challenges.views import seen_by
from services.api.db.models import Round, Standing
from services.api.leaderboard import repository
from services.api.leaderboard.contest import contest_of
from services.api.leaderboard.entries import Ranking
from services.api.leaderboard.explaining import (
    MOST_CHALLENGES,
    MOST_SUBMISSIONS,
    Case,
    entry_of,
    explain,
)
from services.api.rounds.repository import FROZEN
from services.api.submissions import repository as submissions

T = TypeVar("T")

KEPT = 64


class Kept(Generic[T]):
    """The last few values by key, made once each; for many threads."""

    def __init__(self, size: int = KEPT) -> None:
        self._size = size
        self._values: OrderedDict[str, T] = OrderedDict()
        self._lock = threading.Lock()
        self._making = threading.Lock()

    def get(self, key: str, make: Callable[[], T]) -> T:
        """The value of a key; where it is not kept, one thread makes it."""
        found = self._found(key)
        if found is not None:
            return found
        with self._making:
            found = self._found(key)
            if found is None:
                found = make()
                self._keep(key, found)
            return found

    def _found(self, key: str) -> T | None:
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key]

    def _keep(self, key: str, value: T) -> None:
        with self._lock:
            self._values[key] = value
            while len(self._values) > self._size:
                self._values.popitem(last=False)


def version(row: Round, what: str) -> str:
    """What a board of this round depends on, as an entity tag's text.

    Every score, and every move of the round, changes it.
    """
    return f"{what}-{row.number}-{row.status}-{row.results_version}"


def leaderboard(
    session: Session, row: Round, league: str | None, limit: int
) -> Leaderboard:
    """The overall board of a round (weighted), or one league's (plain)."""
    return contest_of(session, row).board(league, limit)


def standings(session: Session, row: Round) -> Standings:
    """The frozen standings of a round, or what they would be now."""
    if row.status in FROZEN:
        rows = tuple(
            _frozen_row(standing)
            for standing in repository.frozen(session, row.number)
        )
        burn_share = row.burn_share
    else:
        ranking = ranking_of(session, row)
        rows = ranking.rows()
        burn_share = ranking.rewards.burn
    return Standings(
        round_number=row.number,
        status=row.status,
        final=row.status in FROZEN,
        log_hash=row.log_hash,
        rows=rows,
        burn_share=burn_share,
    )


def explanation(
    session: Session, row: Round, shown: Standings, hotkey: str
) -> Explanation | None:
    """A miner's place and share taken apart; None for no miner of it."""
    mine = submissions.listed(
        session,
        hotkey=hotkey,
        round_number=row.number,
        limit=MOST_SUBMISSIONS,
    )
    entry = entry_of(shown, hotkey)
    if not mine and entry is None:
        return None
    founder = None
    if entry is not None and entry.founded_by is not None:
        founder = submissions.by_id(session, entry.founded_by)
    fought = challenges.duels(
        session, row.number, hotkey=hotkey, limit=MOST_CHALLENGES
    )
    return explain(
        Case(
            standings=shown,
            settings=RoundSettings.from_dict(row.settings),
            hotkey=hotkey,
            submissions=mine,
            founder=founder,
            challenges=[seen_by(hotkey, duel) for duel in fought],
        )
    )


def ranking_of(session: Session, row: Round) -> Ranking:
    """The ranking of what is scored in a round now."""
    return contest_of(session, row).ranking()


def _frozen_row(row: Standing) -> StandingsRow:
    return StandingsRow(
        place=row.place,
        level=row.level,
        submission_id=row.submission_id,
        hotkey=row.hotkey,
        coldkey=row.coldkey,
        league=row.league,
        target_sequence_length=row.target_sequence_length,
        tokens_per_sec=row.tokens_per_sec,
        weighted_score=row.weighted_score,
        speedup_vs_baseline=row.speedup_vs_baseline,
        commit_block=row.commit_block,
        paid_place=row.paid_place,
        share=row.share,
        unpaid_reason=row.unpaid_reason,
        founded_by=row.founded_by,
    )
