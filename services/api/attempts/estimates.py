"""Estimates: how long the queue is, and how long it will take."""

from __future__ import annotations

from dataclasses import dataclass

from quasar_core.domain.submissions import Status
from sqlalchemy.orm import Session

from services.api.attempts import repository
from services.api.attempts.repository import Job
from services.api.db.models import Submission
from services.api.submissions import repository as submissions


@dataclass(frozen=True)
class Place:
    """A submission's place in the queue (1 is next), and its time to go."""

    position: int | None
    eta_seconds: float | None


def place_of(session: Session, row: Submission) -> Place:
    """The place of a submission; none where it does not wait.

    The order of commitments is what is shown; the rule of fair turns may
    bring it forward or put it back a little.
    """
    if row.status != Status.QUEUED:
        return Place(None, None)
    ahead = submissions.ahead(session, row)
    return Place(ahead + 1, eta_seconds(session, ahead))


def eta_seconds(session: Session, ahead: int) -> float | None:
    """Seconds until `ahead` benchmarks are done; None before the first."""
    usual = repository.usual_seconds(session, Job.BENCHMARK)
    if usual == 0:
        return None
    busy = [
        worker
        for worker, queue in repository.busy_workers(session)
        if queue == Job.BENCHMARK.queue
    ]
    return round(ahead * usual / max(len(busy), 1), 1)
