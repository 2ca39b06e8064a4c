"""What there is to dispatch and to publish, asked in one question.

The scheduler asks it many times a second, and mostly there is nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, bindparam, func, or_, select
from sqlalchemy.orm import Session

from services.api.attempts import repository
from services.api.attempts.repository import FROM, LIVE, Job
from services.api.challenges import repository as challenges
from services.api.db import outbox
from services.api.db.models import Attempt, Submission
from services.api.db.types import UtcDateTime
from services.api.rounds import repository as rounds

_NOW = bindparam("now", type_=UtcDateTime())


def waits_for(job: Job) -> ColumnElement[bool]:
    """Whether some submission waits for this job, at the moment `now`."""
    live = (
        select(Attempt.id)
        .where(Attempt.submission_id == Submission.id, Attempt.state.in_(LIVE))
        .exists()
    )
    return (
        select(Submission.id)
        .where(
            Submission.status == FROM[job],
            or_(
                Submission.not_before.is_(None),
                Submission.not_before <= _NOW,
            ),
            ~live,
        )
        .exists()
    )


_POOL = rounds.open_pool().scalar_subquery()
_JOBS = tuple(FROM)
_OUTLOOK = select(
    _POOL,
    outbox.due(_NOW).exists(),
    challenges.ready(_POOL, _NOW).exists(),
    *(waits_for(job) for job in _JOBS),
    *(
        select(func.count())
        .select_from(Attempt)
        .where(*repository.untaken(job, _POOL))
        .scalar_subquery()
        for job in _JOBS
    ),
)


@dataclass(frozen=True)
class Outlook:
    """Of the open round: its pool (None without one), and what waits.

    `jobs` are those that some submission waits for and whose queue has
    room; `contested`: a challenge waits, and there is room for it; `due`:
    a message waits to be published.
    """

    pool: str | None
    jobs: tuple[Job, ...]
    contested: bool
    due: bool


def outlook(session: Session, ahead: int, now: datetime) -> Outlook:
    """What waits, where a queue has room for `ahead` untaken messages."""
    pool, due, contested, *rest = session.execute(_OUTLOOK, {"now": now}).one()
    ready = dict(zip(_JOBS, rest[: len(_JOBS)], strict=True))
    untaken = dict(zip(_JOBS, rest[len(_JOBS) :], strict=True))
    return Outlook(
        pool,
        tuple(job for job in _JOBS if ready[job] and untaken[job] < ahead),
        contested=bool(contested) and untaken[Job.BENCHMARK] < ahead,
        due=bool(due),
    )
