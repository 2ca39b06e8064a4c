"""Attempts in the database, and who may be attempted next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from quasar_core.domain.submissions import Status
from quasar_core.messaging import topology
from sqlalchemy import (
    ColumnElement,
    bindparam,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from services.api.attempts.states import LIVE, SPENT, State
from services.api.db.models import Attempt, Submission

__all__ = ["FROM", "LIVE", "SPENT", "Job", "State"]

OF_LAST = 20


class Job(StrEnum):
    """What an attempt is for."""

    BENCHMARK = "benchmark"
    VERIFICATION = "verification"
    CHALLENGE = "challenge"

    @property
    def queue(self) -> str:
        """The queue that it travels on, without the pool."""
        if self is Job.VERIFICATION:
            return topology.VERIFICATION
        return topology.BENCHMARK


FROM: dict[Job, Status] = {
    Job.BENCHMARK: Status.QUEUED,
    Job.VERIFICATION: Status.VERIFYING,
}

LAST_BENCHMARKS = (
    select(Attempt.started_at, Attempt.finished_at)
    .where(
        Attempt.kind == Job.BENCHMARK,
        Attempt.state.in_((State.COMPLETED, State.REJECTED)),
    )
    .order_by(Attempt.finished_at.desc())
    .limit(OF_LAST)
)
"""When the benchmarks that ended last began and ended."""

_LOCKED = (
    select(Submission, Attempt)
    .join(Attempt, Attempt.submission_id == Submission.id)
    .where(Attempt.id == bindparam("attempt_id"))
    .with_for_update()
    .execution_options(populate_existing=True)
)
"""PostgreSQL locks a row of each table in the order in which they stand."""


def locked(
    session: Session, attempt_id: UUID
) -> tuple[Submission, Attempt] | None:
    """An attempt and its submission, both kept from others.

    The submission is locked first: everybody does it in this order.
    """
    found = session.execute(_LOCKED, {"attempt_id": attempt_id}).first()
    return None if found is None else (found[0], found[1])


def under_way(session: Session, submission_id: UUID) -> Attempt | None:
    """The attempt that is under way at a submission, if one is; locked."""
    return session.scalars(
        select(Attempt)
        .where(Attempt.submission_id == submission_id, Attempt.state.in_(LIVE))
        .with_for_update()
    ).first()


def is_under_way() -> ColumnElement[bool]:
    """Whether an attempt at the query's submission is under way."""
    return (
        select(Attempt.id)
        .where(Attempt.submission_id == Submission.id, Attempt.state.in_(LIVE))
        .correlate(Submission)
        .exists()
    )


def ready(job: Job, now: Any) -> tuple[ColumnElement[bool], ...]:
    """Of which submissions this job may begin; `now` may be an expression."""
    return (
        Submission.status == FROM[job],
        or_(Submission.not_before.is_(None), Submission.not_before <= now),
        ~is_under_way(),
    )


def _count(session: Session, *conditions: ColumnElement[bool]) -> int:
    query = select(func.count()).select_from(Attempt).where(*conditions)
    return session.scalar(query) or 0


def untaken(job: Job, pool: Any) -> tuple[ColumnElement[bool], ...]:
    """Of which attempts no worker is known to have taken the message.

    Those of a job's queue; `pool` is a name or an expression.
    """
    return (
        Attempt.kind.in_([one for one in Job if one.queue == job.queue]),
        Attempt.pool == pool,
        Attempt.state == State.DISPATCHED,
    )


def waiting(session: Session, job: Job, pool: str) -> int:
    """How many messages of a job's queue no worker is known to have taken."""
    return _count(session, *untaken(job, pool))


def made(session: Session, submission_id: UUID, job: Job) -> int:
    """How many attempts there were at this job of a submission."""
    return _count(
        session,
        Attempt.submission_id == submission_id,
        Attempt.kind == job,
    )


def spent(session: Session, submission_id: UUID, job: Job) -> int:
    """How many of them a worker took and did not finish."""
    return _count(
        session,
        Attempt.submission_id == submission_id,
        Attempt.kind == job,
        Attempt.state.in_(SPENT),
    )


def forgive(session: Session, submission_id: UUID) -> None:
    """Let no earlier attempt at a submission count against it."""
    session.execute(
        update(Attempt)
        .where(
            Attempt.submission_id == submission_id, Attempt.state.in_(SPENT)
        )
        .values(state=State.FORGIVEN)
    )


def expired(session: Session, now: datetime) -> Sequence[Attempt]:
    """The started attempts whose lease has run out, oldest first."""
    return session.scalars(
        select(Attempt)
        .where(Attempt.state == State.STARTED, Attempt.lease_until < now)
        .order_by(Attempt.lease_until)
        .limit(100)
    ).all()


def undelivered(
    session: Session, published_before: datetime
) -> Sequence[Attempt]:
    """The attempts that no worker has started, oldest message first."""
    return session.scalars(
        select(Attempt)
        .where(
            Attempt.state == State.DISPATCHED,
            Attempt.published_at < published_before,
        )
        .order_by(Attempt.published_at)
        .limit(100)
    ).all()


def outstanding_by_queue(session: Session) -> dict[tuple[str, str], int]:
    """How many published messages of each queue no worker has started.

    By queue without the pool, and pool.
    """
    rows = session.execute(
        select(Attempt.kind, Attempt.pool, func.count())
        .where(
            Attempt.state == State.DISPATCHED,
            Attempt.published_at.is_not(None),
        )
        .group_by(Attempt.kind, Attempt.pool)
    )
    found: Counter[tuple[str, str]] = Counter()
    for kind, pool, number in rows:
        found[Job(kind).queue, pool] += number
    return dict(found)


def busy_workers(session: Session) -> set[tuple[str, str]]:
    """The (worker, queue) pairs that hold a live attempt."""
    rows = session.execute(
        select(Attempt.worker, Attempt.kind).where(
            Attempt.state == State.STARTED
        )
    )
    return {(worker or "", Job(kind).queue) for worker, kind in rows}


def usual_seconds(session: Session) -> float:
    """What a benchmark has usually taken of late; 0 before the first."""
    rows = session.execute(LAST_BENCHMARKS)
    return mean_seconds((started, finished) for started, finished in rows)


def mean_seconds(
    times: Iterable[tuple[datetime | None, datetime | None]],
) -> float:
    """The mean of what lasted from one moment to another; 0 for none."""
    seconds = [
        (finished - started).total_seconds()
        for started, finished in times
        if started is not None and finished is not None
    ]
    return sum(seconds) / len(seconds) if seconds else 0.0
