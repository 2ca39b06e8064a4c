"""Re-entry: a round's paid places compete again in the next one."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from quasar_core.domain.leagues import BelowSmallestLeague, league_for
from quasar_core.domain.rounds import RoundSettings
from quasar_core.domain.submissions import Status
from sqlalchemy.orm import Session

from services.api.db.ids import new_id
from services.api.db.models import Round, Submission
from services.api.leaderboard.entries import Ranking
from services.api.rounds.service import ACTOR
from services.api.submissions import repository
from services.api.submissions.moves import enter
from services.api.submissions.repository import Door


def reenter(
    session: Session, ranking: Ranking, current: Round, now: datetime
) -> None:
    """Queue what was paid in the open round, to be judged anew.

    It keeps its original commitment block and its archived source, and
    uses no quota up. What its miner has sent again himself is there
    already, and what no league of the open round takes stays behind.
    """
    for placing in ranking.placings:
        if placing.paid_place is None:
            continue
        original = repository.by_id(session, UUID(placing.entry.submission_id))
        assert original is not None  # noqa: S101 -- it is in the ranking
        row = _again(original, placing.entry.commit_block, current, now)
        if row is not None and _is_free(session, row):
            enter(session, row, actor=ACTOR, now=now)


def _is_free(session: Session, row: Submission) -> bool:
    door = Door(
        hotkey=row.hotkey,
        fork_url=row.fork_url,
        commit_hash=row.commit_hash,
        target_sequence_length=row.target_sequence_length,
    )
    return repository.at_the_door(session, door, row.round_number) is None


def _again(
    original: Submission, commit_block: int, current: Round, now: datetime
) -> Submission | None:
    rules = RoundSettings.from_dict(current.settings)
    try:
        league = league_for(original.target_sequence_length, rules.league_unit)
    except BelowSmallestLeague:
        return None
    return Submission(
        id=new_id(),
        round_number=current.number,
        hotkey=original.hotkey,
        coldkey=original.coldkey,
        fork_url=original.fork_url,
        commit_hash=original.commit_hash,
        target_sequence_length=original.target_sequence_length,
        league=league.name,
        multiplier=league.multiplier,
        commit_block=commit_block,
        is_rerun=True,
        status=Status.QUEUED,
        claimed_tokens_per_sec=original.claimed_tokens_per_sec,
        claimed_benchmarks=original.claimed_benchmarks,
        tree_hash=original.tree_hash,
        identity=original.identity,
        created_at=now,
        updated_at=now,
    )
