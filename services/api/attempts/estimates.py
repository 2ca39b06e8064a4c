"""Estimates: how long the queue is, and how long it will take."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from quasar_core.contracts.http import FURTHEST_POSITION
from quasar_core.domain.submissions import Status
from sqlalchemy import bindparam, func, literal, select, true, tuple_
from sqlalchemy.orm import Session

from services.api.attempts import repository
from services.api.attempts.repository import Job
from services.api.db.models import Submission

_ALONE = select(literal(1).label("one")).subquery()
_AHEAD = (
    select(func.count())
    .select_from(
        select(Submission.id)
        .where(
            Submission.status == Status.QUEUED,
            tuple_(Submission.commit_block, Submission.id)
            < tuple_(
                bindparam("commit_block", type_=Submission.commit_block.type),
                bindparam("id", type_=Submission.id.type),
            ),
        )
        .limit(FURTHEST_POSITION - 1)
        .subquery()
    )
    .scalar_subquery()
)
_LAST = repository.LAST_BENCHMARKS.subquery()
_PLACE = select(_AHEAD, _LAST.c.started_at, _LAST.c.finished_at).select_from(
    _ALONE.outerjoin(_LAST, true())
)


@dataclass(frozen=True)
class Place:
    """A submission's place in the queue (1 is next), and its time to go.

    Who has a thousand before him is told no more than that: to count them
    all would cost more than all else that he is told.
    """

    position: int | None
    eta_seconds: float | None


def place_of(session: Session, row: Submission) -> Place:
    """The place of a submission; none where it does not wait.

    The order of commitments is what is shown; the rule of fair turns may
    bring it forward or put it back a little.
    """
    if row.status != Status.QUEUED:
        return Place(None, None)
    asked = {"commit_block": row.commit_block, "id": row.id}
    found = session.execute(_PLACE, asked).all()
    ahead = found[0][0]
    usual = repository.mean_seconds((start, end) for _, start, end in found)
    busy = repository.busy_workers(session) if usual else ()
    return Place(ahead + 1, _eta(ahead, usual, busy))


def eta_seconds(
    session: Session, ahead: int, busy: Collection[tuple[str, str]]
) -> float | None:
    """Seconds until `ahead` benchmarks are done; None before the first.

    `busy` is who works on what, as `repository.busy_workers` says.
    """
    return _eta(ahead, repository.usual_seconds(session), busy)


def _eta(
    ahead: int, usual: float, busy: Collection[tuple[str, str]]
) -> float | None:
    if usual == 0:
        return None
    at_it = [queue for _, queue in busy if queue == Job.BENCHMARK.queue]
    return round(ahead * usual / max(len(at_it), 1), 1)
