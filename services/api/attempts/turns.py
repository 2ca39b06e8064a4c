"""Turns: whose submission is next, by the rule of fair turns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from quasar_core.domain.quotas import Candidate, next_in_queue
from quasar_core.domain.submissions import PENDING, Status
from sqlalchemy import Row, Select, bindparam, func, or_, select
from sqlalchemy.orm import Session

from services.api.attempts import repository
from services.api.attempts.repository import FROM, Job
from services.api.db.models import Round, Submission
from services.api.db.types import UtcDateTime
from services.api.rounds import repository as rounds
from services.api.submissions.repository import JUDGED

CANDIDATES = 500


def next_in_turn(
    session: Session, job: Job, pool: str, now: datetime
) -> UUID | None:
    """The submission that this job is for next; None where none waits."""
    waiting = candidates(session, job, pool, now)
    current = rounds.open_round(session)
    if not waiting or current is None:
        return None
    turns = taken(session, [row.coldkey for row in waiting], current.number)
    chosen = next_in_queue(
        Candidate(
            submission_id=str(row.id),
            coldkey=row.coldkey,
            commit_block=row.commit_block,
            rerun=row.is_rerun,
            turns=turns.get(row.coldkey, 0),
        )
        for row in waiting
    )
    return UUID(chosen.submission_id) if chosen else None


def _candidates(job: Job) -> Select[UUID, str, int, bool]:
    """Of each coldkey, the earliest submission that this job may begin."""
    conditions = [
        *repository.ready(job, bindparam("now", type_=UtcDateTime())),
        Submission.round_number.in_(
            select(Round.number).where(Round.pool == bindparam("pool"))
        ),
    ]
    if job is Job.VERIFICATION:
        conditions.append(Submission.tree_hash.is_not(None))
    order = (Submission.commit_block, Submission.id)
    ranked = (
        select(
            Submission.id,
            Submission.coldkey,
            Submission.commit_block,
            Submission.is_rerun,
            func.row_number()
            .over(
                partition_by=(Submission.coldkey, Submission.is_rerun),
                order_by=order,
            )
            .label("turn"),
        )
        .where(*conditions)
        .subquery()
    )
    rank = ranked.c
    return (
        select(rank.id, rank.coldkey, rank.commit_block, rank.is_rerun)
        .where(rank.turn == 1)
        .order_by(rank.commit_block, rank.id)
        .limit(CANDIDATES)
    )


_CANDIDATES = {job: _candidates(job) for job in FROM}


def candidates(
    session: Session, job: Job, pool: str, now: datetime
) -> Sequence[Row[UUID, str, int, bool]]:
    """The earliest ready submission of each coldkey, live and re-run.

    Of each its id, coldkey, commit_block and is_rerun: what decides whose
    turn it is, and no more.
    """
    asked = {"now": now, "pool": pool}
    return session.execute(_CANDIDATES[job], asked).all()


def taken(
    session: Session, coldkeys: Sequence[str], round_number: int
) -> dict[str, int]:
    """How many of each coldkey's run or were judged in a round.

    A queued submission with a live attempt is as good as running. What the
    platform failed at costs no quota, but it had its turn: else a kernel that
    nobody can judge would come first again and again.
    """
    rows = session.execute(
        select(Submission.coldkey, func.count())
        .where(
            Submission.coldkey.in_(coldkeys),
            or_(
                Submission.status.in_(PENDING - {Status.QUEUED}),
                repository.is_under_way()
                & (Submission.status == Status.QUEUED),
                Submission.status.in_((*JUDGED, Status.INFRA_FAILED))
                & (Submission.round_number == round_number),
            ),
        )
        .group_by(Submission.coldkey)
    )
    return {row[0]: row[1] for row in rows}
