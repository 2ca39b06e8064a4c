"""Gauges: what the database says of queues, rounds and workers."""

from __future__ import annotations

from datetime import datetime, timedelta

from quasar_core.domain.canaries import EXPECTED, Canary
from quasar_core.domain.rounds import RoundStatus
from quasar_core.domain.submissions import Status
from quasar_core.telemetry.metrics import (
    BEST_TOKENS_PER_SEC,
    CANARIES_OVERDUE,
    CANARY_RUNS,
    CLOCK_AHEAD_SECONDS,
    GAUGES_REFRESHED,
    OUTBOX_LAG_SECONDS,
    OUTBOX_WAITING,
    QUEUE_DEPTH,
    QUEUE_OLDEST_SECONDS,
    ROUND_BLOCKS_LEFT,
    ROUND_NUMBER,
    ROUNDS,
    SUBMISSIONS,
    WORKERS_SEEN,
)
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from services.api.attempts.repository import FROM, Job
from services.api.canaries import repository as canaries
from services.api.db.models import Round, Submission
from services.api.db.records import OutboxRow, Worker
from services.api.rounds import repository as rounds

SEEN_SECONDS = 60
JOBS = {status: job for job, status in FROM.items()}
CANARIES_COUNTED = timedelta(days=1)


def update(
    session: Session,
    height: int | None,
    now: datetime,
    canary_seconds: float = 0.0,
) -> None:
    """Set every gauge that is read from the database."""
    current = rounds.open_round(session)
    if current is not None:
        _round(session, current, height)
    _queues(session, current, now)
    _outbox(session, now)
    _workers(session, now)
    _canaries(session, now, canary_seconds)
    _clock(session, now)
    GAUGES_REFRESHED.set(now.timestamp())


def _round(session: Session, row: Round, height: int | None) -> None:
    ROUND_NUMBER.set(row.number)
    if height is not None:
        ROUND_BLOCKS_LEFT.set(max(row.closes_at_block - height, 0))
    counts = _counted(
        session, Submission.status, Submission.round_number == row.number
    )
    for status in Status:
        SUBMISSIONS.labels(status.value).set(counts.get(status, 0))
    BEST_TOKENS_PER_SEC.clear()
    for league, best in _best(session, row.number).items():
        BEST_TOKENS_PER_SEC.labels(league).set(best)
    by_status = _counted(session, Round.status)
    for status in RoundStatus:
        ROUNDS.labels(status.value).set(by_status.get(status, 0))


def _best(session: Session, round_number: int) -> dict[str, float]:
    query = (
        select(Submission.league, func.max(Submission.tokens_per_sec))
        .where(
            Submission.round_number == round_number,
            Submission.status == Status.SCORED,
        )
        .group_by(Submission.league)
    )
    return {
        league: best
        for league, best in session.execute(query)
        if league is not None and best is not None
    }


def _counted(
    session: Session,
    column: InstrumentedAttribute[str],
    *conditions: ColumnElement[bool],
) -> dict[str, int]:
    query = select(column, func.count()).where(*conditions).group_by(column)
    return {row[0]: row[1] for row in session.execute(query)}


def _queues(session: Session, current: Round | None, now: datetime) -> None:
    """What waits for the workers of each pool, by the submissions' rounds.

    The open round's pool is always told, any other while something waits.
    """
    found: dict[tuple[Job, str], tuple[int, datetime | None]] = {}
    if current is not None:
        found = {(job, current.pool): (0, None) for job in FROM}
    rows = session.execute(
        select(
            Submission.status,
            Round.pool,
            func.count(),
            func.min(Submission.updated_at),
        )
        .join(Round, Round.number == Submission.round_number)
        .where(Submission.status.in_(FROM.values()))
        .group_by(Submission.status, Round.pool)
    ).all()
    for status, pool, depth, oldest in rows:
        found[JOBS[Status(status)], pool] = (depth, oldest)
    QUEUE_DEPTH.clear()
    QUEUE_OLDEST_SECONDS.clear()
    for (job, pool), (depth, oldest) in found.items():
        QUEUE_DEPTH.labels(job.value, pool).set(depth)
        QUEUE_OLDEST_SECONDS.labels(job.value, pool).set(_age(oldest, now))


def _outbox(session: Session, now: datetime) -> None:
    waiting, oldest = session.execute(
        select(func.count(), func.min(OutboxRow.created_at)).where(
            OutboxRow.published_at.is_(None)
        )
    ).one()
    OUTBOX_WAITING.set(waiting)
    OUTBOX_LAG_SECONDS.set(_age(oldest, now))


def _clock(session: Session, now: datetime) -> None:
    """Leases are counted by our clock, and messages by their senders'.

    A server has one of its own that nobody else set wrong.
    """
    if session.get_bind().dialect.name != "postgresql":
        return
    there = session.execute(select(func.clock_timestamp())).scalar_one()
    CLOCK_AHEAD_SECONDS.set((now - there).total_seconds())


def _workers(session: Session, now: datetime) -> None:
    since = now - timedelta(seconds=SEEN_SECONDS)
    rows = session.execute(
        select(Worker.role, Worker.pool, func.count())
        .where(Worker.last_seen_at > since)
        .group_by(Worker.role, Worker.pool)
    )
    WORKERS_SEEN.clear()
    for role, pool, number in rows:
        WORKERS_SEEN.labels(role, pool).set(number)


def _canaries(session: Session, now: datetime, period: float) -> None:
    counts = canaries.counts(session, now - CANARIES_COUNTED)
    for canary in Canary:
        for right, outcome in ((True, "right"), (False, "wrong")):
            runs = (
                one.runs
                for one in counts
                if (one.canary, one.right) == (canary, right)
            )
            CANARY_RUNS.labels(canary.value, outcome).set(sum(runs))
    late = {}
    if period > 0:
        late = canaries.overdue(
            session,
            now - timedelta(seconds=SEEN_SECONDS),
            now - timedelta(seconds=2 * period),
        )
    for role in EXPECTED:
        CANARIES_OVERDUE.labels(role).set(late.get(role, 0))


def _age(moment: datetime | None, now: datetime) -> float:
    return 0.0 if moment is None else max((now - moment).total_seconds(), 0.0)
