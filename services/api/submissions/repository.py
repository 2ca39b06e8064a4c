"""Submissions in the database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from quasar_core.domain.precedence import Commit, Precedence
from quasar_core.domain.submissions import PENDING, REPEATABLE, Status
from sqlalchemy import (
    ColumnElement,
    String,
    and_,
    bindparam,
    cast,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Session, aliased, defer

from services.api.db.models import (
    Attempt,
    PassedStage,
    Submission,
)
from services.api.db.records import LogRow

JUDGED = frozenset(
    {
        Status.SCORED,
        Status.REJECTED,
        Status.QUARANTINED,
        Status.INVALIDATED,
    }
)


REPORTS = (
    Submission.claimed_benchmarks,
    Submission.rejection,
    Submission.correctness,
    Submission.timing,
    Submission.logits,
)
"""What is large and is no part of a board: read where it is asked for."""


@dataclass(frozen=True)
class Door:
    """What makes two submissions of a round the same one."""

    hotkey: str
    fork_url: str
    commit_hash: str
    target_sequence_length: int


_AT_THE_DOOR = (
    select(Submission)
    .where(
        Submission.hotkey == bindparam("hotkey"),
        Submission.fork_url == bindparam("fork_url"),
        Submission.commit_hash == bindparam("commit_hash"),
        Submission.target_sequence_length
        == bindparam("target_sequence_length"),
        or_(
            and_(
                Submission.round_number == bindparam("round_number"),
                Submission.status.not_in(REPEATABLE),
            ),
            Submission.status.in_(PENDING),
        ),
    )
    .order_by(Submission.id)
    .limit(1)
)


def by_id(session: Session, submission_id: UUID) -> Submission | None:
    """The submission with this id."""
    return session.get(Submission, submission_id)


def locked(session: Session, submission_id: UUID) -> Submission | None:
    """The submission as it is now, kept from others until the end."""
    return session.scalars(
        select(Submission)
        .where(Submission.id == submission_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()


def at_the_door(
    session: Session, door: Door, round_number: int
) -> Submission | None:
    """The same submission, if this round has it or will have it.

    What an earlier round has not finished moves on to the open one, so it
    stands at its door already.
    """
    asked = {**vars(door), "round_number": round_number}
    return session.scalars(_AT_THE_DOOR, asked).first()


def count(session: Session, *conditions: ColumnElement[bool]) -> int:
    """How many submissions fulfil all conditions."""
    query = select(func.count()).select_from(Submission).where(*conditions)
    return session.scalar(query) or 0


def unfinished_in_round(session: Session, number: int) -> Sequence[Submission]:
    """What a round has not finished, in the order of ids; locked."""
    return session.scalars(
        select(Submission)
        .where(
            Submission.round_number == number,
            Submission.status.in_((Status.COMMITTED, *PENDING)),
        )
        .order_by(Submission.id)
        .with_for_update()
    ).all()


def pending_in_round(session: Session, number: int) -> int:
    """How many a round has still to wait for."""
    return count(
        session,
        Submission.round_number == number,
        Submission.status.in_(PENDING),
    )


def scored_in_round(session: Session, number: int) -> Sequence[Submission]:
    """The submissions whose benchmark and verification both passed."""
    return session.scalars(
        select(Submission)
        .where(
            Submission.round_number == number,
            Submission.status == Status.SCORED,
        )
        .options(*(defer(column) for column in REPORTS))
    ).all()


def precedence(session: Session, number: int) -> Precedence:
    """Who committed what is scored in a round first, in any round."""
    scored = aliased(Submission)
    # PostgreSQL knows no smallest uuid; as texts they sort the same
    text_of_id = cast(Submission.id, String)
    rows = session.execute(
        select(
            func.min(text_of_id),
            Submission.hotkey,
            Submission.coldkey,
            Submission.identity,
            Submission.league,
            func.min(Submission.commit_block),
        )
        .where(
            Submission.status != Status.INVALIDATED,
            select(scored.id)
            .where(
                scored.round_number == number,
                scored.status == Status.SCORED,
                scored.identity == Submission.identity,
                scored.league == Submission.league,
            )
            .exists(),
        )
        .group_by(
            Submission.hotkey,
            Submission.coldkey,
            Submission.identity,
            Submission.league,
        )
    )
    return Precedence.of(
        Commit(found, hotkey, coldkey, identity or "", league, block)
        for found, hotkey, coldkey, identity, league, block in rows
    )


_LISTED = (
    select(Submission)
    .options(*(defer(one) for one in (*REPORTS, Submission.manifest)))
    .order_by(Submission.id.desc())
)


def listed(
    session: Session,
    *,
    hotkey: str | None = None,
    status: str | None = None,
    round_number: int | None = None,
    commitment_hash: str | None = None,
    before: UUID | None = None,
    limit: int = 50,
) -> Sequence[Submission]:
    """Submissions, newest first, from below `before`.

    Without their reports and manifests, which no list tells of.
    """
    query = _LISTED.limit(limit)
    if hotkey is not None:
        query = query.where(Submission.hotkey == hotkey)
    if status is not None:
        query = query.where(Submission.status == status)
    if round_number is not None:
        query = query.where(Submission.round_number == round_number)
    if commitment_hash is not None:
        query = query.where(Submission.commitment_hash == commitment_hash)
    if before is not None:
        query = query.where(Submission.id < before)
    return session.scalars(query).all()


def attempts_of(session: Session, submission_id: UUID) -> Sequence[Attempt]:
    """The attempts at a submission's own jobs, oldest first."""
    return session.scalars(
        select(Attempt)
        .where(
            Attempt.submission_id == submission_id,
            Attempt.challenge_id.is_(None),
        )
        .order_by(Attempt.minted_at, Attempt.id)
    ).all()


def stages_of(
    session: Session, attempt_ids: Collection[UUID]
) -> Sequence[PassedStage]:
    """The stages that these attempts passed, in the order of recording."""
    return session.scalars(
        select(PassedStage)
        .where(PassedStage.attempt_id.in_(attempt_ids))
        .order_by(PassedStage.recorded_at)
    ).all()


def history(
    session: Session, submission_id: UUID, after: int, limit: int = 100
) -> Sequence[LogRow]:
    """The log rows of a submission above a sequence number."""
    return session.scalars(
        select(LogRow)
        .where(LogRow.submission_id == submission_id, LogRow.sequence > after)
        .order_by(LogRow.sequence)
        .limit(limit)
    ).all()


def counts_by_status(session: Session) -> dict[str, int]:
    """How many submissions there are in each status."""
    rows = session.execute(
        select(Submission.status, func.count()).group_by(Submission.status)
    )
    return {row[0]: row[1] for row in rows}


def oldest_queued_at(session: Session) -> datetime | None:
    """When the queued submission was posted that waits longest."""
    return session.scalar(
        select(func.min(Submission.created_at)).where(
            Submission.status == Status.QUEUED
        )
    )
