"""The board of canaries: cheats caught, honest passed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from quasar_core.contracts.http import (
    CanaryBoard,
    CanaryTally,
    CanaryView,
    WorkerCanaries,
)
from quasar_core.domain.canaries import EXPECTED, Canary
from sqlalchemy.orm import Session

from services.api.canaries import repository
from services.api.canaries.repository import Count
from services.api.db.records import CanaryRun, Worker

SEPARATOR = "/"


def board(
    session: Session,
    now: datetime,
    days: int,
    after: tuple[str, str] | None,
    limit: int,
) -> CanaryBoard:
    """A page of the board over the last days, and the sums of all."""
    since = now - timedelta(days=days)
    counts = repository.counts(session, since)
    rows = repository.workers_since(session, since, after, limit + 1)
    shown = rows[:limit]
    last = repository.last_runs(session, shown)
    more = len(rows) > limit
    return CanaryBoard(
        days=days,
        honest_passed=_tally(counts, cheats=False),
        cheats_caught=_tally(counts, cheats=True),
        workers=tuple(_worker(row, counts, last) for row in shown),
        next_cursor=(
            f"{shown[-1].name}{SEPARATOR}{shown[-1].role}" if more else None
        ),
    )


def cursor_of(text: str) -> tuple[str, str]:
    """Name and role of the worker that a cursor names."""
    name, _, role = text.partition(SEPARATOR)
    return name, role


def tag_of(shown: CanaryBoard) -> str:
    """What changes when the board does."""
    text = shown.model_dump_json().encode()
    return f'"{hashlib.sha256(text).hexdigest()[:32]}"'


def _worker(
    row: Worker, counts: Sequence[Count], last: Sequence[CanaryRun]
) -> WorkerCanaries:
    mine = [
        one for one in counts if (one.worker, one.role) == (row.name, row.role)
    ]
    return WorkerCanaries(
        worker=row.name,
        role=row.role,
        pool=row.pool,
        honest_passed=_tally(mine, cheats=False),
        cheats_caught=_tally(mine, cheats=True),
        last_runs=tuple(
            _run(run)
            for run in last
            if (run.worker, run.role) == (row.name, row.role)
        ),
    )


def _run(run: CanaryRun) -> CanaryView:
    canary = Canary(run.canary)
    return CanaryView(
        canary=canary,
        expected=EXPECTED[run.role][canary],
        got=run.got,
        right=run.is_right,
        harness_digest=run.harness_digest,
        seconds=run.seconds,
        ran_at=run.ran_at,
    )


def _tally(counts: Iterable[Count], *, cheats: bool) -> CanaryTally:
    mine = [one for one in counts if one.canary.is_cheat is cheats]
    return CanaryTally(
        right=sum(one.runs for one in mine if one.right),
        runs=sum(one.runs for one in mine),
    )
