"""What there is to dispatch and to publish, asked in one question.

The scheduler asks it many times a second, and mostly there is nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from services.api.attempts import repository
from services.api.attempts.repository import FROM, Job
from services.api.challenges import repository as challenges
from services.api.db import outbox
from services.api.db.models import Attempt, Submission
from services.api.db.types import UtcDateTime
from services.api.rounds import repository as rounds

_NOW = bindparam("now", type_=UtcDateTime())
_POOL = rounds.open_pool().scalar_subquery()
_JOBS = tuple(FROM)
_OUTLOOK = select(
    _POOL,
    outbox.due(_NOW).exists(),
    challenges.ready(_POOL, _NOW).exists(),
    *(
        select(Submission.id).where(*repository.ready(job, _NOW)).exists()
        for job in _JOBS
    ),
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
    waits = dict(zip(_JOBS, rest[: len(_JOBS)], strict=True))
    untaken = dict(zip(_JOBS, rest[len(_JOBS) :], strict=True))
    return Outlook(
        pool,
        tuple(job for job in _JOBS if waits[job] and untaken[job] < ahead),
        contested=bool(contested) and untaken[Job.BENCHMARK] < ahead,
        due=bool(due),
    )
