"""Workers: that they are there, how fast they are, what they catch."""

from __future__ import annotations

from datetime import datetime
from statistics import median

from quasar_core.contracts.events import (
    BaselineMeasured,
    CanaryCompleted,
    WorkerSeen,
)
from quasar_core.domain.canaries import EXPECTED, is_right
from quasar_core.telemetry.logs import get_logger
from quasar_core.telemetry.metrics import BASELINE_SECONDS
from sqlalchemy.orm import Session

from services.api.attempts import harm
from services.api.canaries import repository as canaries
from services.api.db import eventlog
from services.api.db.models import Round
from services.api.workers import repository

log = get_logger("api.recorder")


def seen(session: Session, event: WorkerSeen, now: datetime) -> None:
    """A worker is up and ready for its queue."""
    repository.note_worker(
        session,
        name=event.worker,
        role=event.role,
        pool=event.pool,
        last_seen_at=now,
        environment=event.environment,
    )


def baseline_measured(
    session: Session, event: BaselineMeasured, now: datetime
) -> None:
    """The trusted kernel's speed on a worker, for its round."""
    if session.get(Round, event.round_number) is None:
        log.warning("baseline.of_no_round", round_number=event.round_number)
        return
    seconds = median(event.samples)
    BASELINE_SECONDS.labels(event.worker).set(seconds)
    repository.note_baseline(
        session,
        round_number=event.round_number,
        worker=event.worker,
        sequence_length=event.sequence_length,
        tokens_per_sec=event.sequence_length / seconds,
        samples=list(event.samples),
        environment=event.environment,
        measured_at=now,
    )


def canary_completed(
    session: Session, event: CanaryCompleted, now: datetime
) -> None:
    """A known submission was judged: noted, and in the log.

    Whether it was right is derived here. One that was not is an operator's
    business, and at once.
    """
    right = is_right(event.role, event.canary, event.got)
    canaries.add(
        session,
        worker=event.worker,
        role=event.role,
        pool=event.pool,
        canary=event.canary.value,
        got=str(event.got),
        is_right=right,
        harness_digest=event.harness_digest,
        seconds=event.seconds,
        ran_at=event.occurred_at,
        recorded_at=now,
    )
    facts = {
        "role": event.role,
        "pool": event.pool,
        "canary": event.canary.value,
        "expected": EXPECTED[event.role][event.canary],
        "got": str(event.got),
        "right": right,
        "harness_digest": event.harness_digest,
    }
    eventlog.append(
        session,
        kind="canary",
        actor=f"worker:{event.worker}",
        now=now,
        evidence=facts,
    )
    harm.heard(session, event.worker, right=right, now=now)
    tell = log.info if right else log.error
    tell("canary.completed", worker=event.worker, **facts)
