"""Canaries in the database: each run, and the runs of a time counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from quasar_core.domain.canaries import EXPECTED, Canary
from sqlalchemy import (
    ColumnElement,
    Select,
    delete,
    func,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import Session

from services.api.db.records import CanaryRun, Worker

MOST_DAYS = 90
"""As far back as anybody is told of runs, and as long as they are kept."""


@dataclass(frozen=True)
class Count:
    """How many runs of a canary on a worker were right, or wrong."""

    worker: str
    role: str
    canary: Canary
    right: bool
    runs: int


def add(session: Session, **values: Any) -> None:
    """Note a run."""
    session.add(CanaryRun(**values))


def purge(session: Session, now: datetime) -> None:
    """Forget the runs that nobody can ask for; the log keeps them."""
    oldest = now - timedelta(days=MOST_DAYS)
    session.execute(delete(CanaryRun).where(CanaryRun.recorded_at < oldest))


def counts(session: Session, since: datetime) -> Sequence[Count]:
    """The runs since a moment, by worker, canary and outcome."""
    rows = session.execute(
        select(
            CanaryRun.worker,
            CanaryRun.role,
            CanaryRun.canary,
            CanaryRun.is_right,
            func.count(),
        )
        .where(CanaryRun.recorded_at > since)
        .group_by(
            CanaryRun.worker,
            CanaryRun.role,
            CanaryRun.canary,
            CanaryRun.is_right,
        )
    )
    return [
        Count(worker, role, Canary(canary), right, runs)
        for worker, role, canary, right, runs in rows
    ]


def workers_since(
    session: Session,
    since: datetime,
    after: tuple[str, str] | None,
    limit: int,
) -> Sequence[Worker]:
    """The workers heard of since a moment, or with runs since then.

    By name and role, those after `after`.
    """
    ran = _ran_after(since)
    query = (
        select(Worker)
        .where(or_(Worker.last_seen_at > since, ran))
        .order_by(Worker.name, Worker.role)
        .limit(limit)
    )
    if after is not None:
        query = query.where(tuple_(Worker.name, Worker.role) > after)
    return session.scalars(query).all()


def last_runs(
    session: Session, workers: Sequence[Worker]
) -> Sequence[CanaryRun]:
    """The last run of each canary on each of these workers."""
    last = (
        select(func.max(CanaryRun.id))
        .where(
            tuple_(CanaryRun.worker, CanaryRun.role).in_(
                [(row.name, row.role) for row in workers]
            )
        )
        .group_by(CanaryRun.worker, CanaryRun.role, CanaryRun.canary)
    )
    return session.scalars(
        select(CanaryRun).where(CanaryRun.id.in_(last)).order_by(CanaryRun.id)
    ).all()


def right_before(
    session: Session, worker: str, role: str, moment: datetime
) -> bool:
    """Whether each of a worker's canaries was right in its last run then."""
    query = select(func.max(CanaryRun.id)).where(
        CanaryRun.recorded_at <= moment
    )
    return _right(session, worker, role, query)


def right_after(
    session: Session, worker: str, role: str, moment: datetime
) -> bool:
    """Whether each was right in its first run after a moment."""
    query = select(func.min(CanaryRun.id)).where(
        CanaryRun.recorded_at > moment
    )
    return _right(session, worker, role, query)


def _right(session: Session, worker: str, role: str, ids: Select[int]) -> bool:
    mine = ids.where(CanaryRun.worker == worker, CanaryRun.role == role)
    runs = session.execute(
        select(CanaryRun.canary, CanaryRun.is_right).where(
            CanaryRun.id.in_(mine.group_by(CanaryRun.canary))
        )
    ).all()
    right = {canary for canary, is_right in runs if is_right}
    return right == set(EXPECTED[role])


def overdue(
    session: Session, seen_since: datetime, ran_since: datetime
) -> dict[str, int]:
    """How many workers of each role are up and judged no canary of late."""
    ran = _ran_after(ran_since)
    rows = session.execute(
        select(Worker.role, func.count())
        .where(Worker.last_seen_at > seen_since, ~ran)
        .group_by(Worker.role)
    )
    return {row[0]: row[1] for row in rows}


def _ran_after(moment: datetime) -> ColumnElement[bool]:
    """Whether a worker, of an outer query, judged a canary after that."""
    return (
        select(CanaryRun.id)
        .where(
            CanaryRun.worker == Worker.name,
            CanaryRun.role == Worker.role,
            CanaryRun.recorded_at > moment,
        )
        .exists()
    )
