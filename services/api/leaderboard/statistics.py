"""Statistics: how much there is, who is at work, and who leads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from quasar_core.contracts.http import (
    LeaderboardRow,
    SubmissionStats,
    WorkerView,
)
from quasar_core.domain.submissions import Status
from sqlalchemy.orm import Session

from services.api.attempts import repository as attempts
from services.api.attempts.estimates import eta_seconds
from services.api.attempts.repository import Job
from services.api.db.records import Worker
from services.api.submissions import repository as submissions
from services.api.submissions.views import summaries
from services.api.workers import repository as workers

JOB_OF_ROLE = {"benchmark": Job.BENCHMARK, "verifier": Job.VERIFICATION}


@dataclass(frozen=True)
class Tally:
    """What goes through all submissions: it changes when one moves."""

    by_status: Mapping[str, int]
    oldest_queued_at: datetime | None


def tally(session: Session) -> Tally:
    """All submissions, counted now."""
    return Tally(
        submissions.counts_by_status(session),
        submissions.oldest_queued_at(session),
    )


def statistics(
    session: Session,
    now: datetime,
    limit: int,
    counted: Tally,
    top_performers: tuple[LeaderboardRow, ...],
) -> SubmissionStats:
    """Counts by status, queue, workers and the newest submissions."""
    counts, oldest = counted.by_status, counted.oldest_queued_at
    depth = counts.get(Status.QUEUED, 0)
    busy = attempts.busy_workers(session)
    return SubmissionStats(
        total=sum(counts.values()),
        by_status=dict(counts),
        queue_depth=depth,
        oldest_queued_seconds=(
            None if oldest is None else max((now - oldest).total_seconds(), 0)
        ),
        eta_seconds=eta_seconds(session, depth, busy),
        workers=tuple(
            _worker(row, busy) for row in workers.all_workers(session)
        ),
        recent_submissions=summaries(submissions.listed(session, limit=limit)),
        top_performers=top_performers,
    )


def _worker(row: Worker, busy: set[tuple[str, str]]) -> WorkerView:
    return WorkerView(
        worker=row.name,
        role=row.role,
        pool=row.pool,
        last_seen_at=row.last_seen_at,
        busy=(row.name, JOB_OF_ROLE[row.role]) in busy,
    )
