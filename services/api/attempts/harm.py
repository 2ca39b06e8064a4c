"""Harm: a submission that breaks one healthy worker after another.

A fault made on purpose is no second roll of the dice. Where two workers came
to harm by the same submission, and both judged known code rightly before and
after, it was not the workers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from quasar_core.contracts.reports import Rejection
from quasar_core.domain.submissions import Status
from quasar_core.errors import RejectionCode, Stage
from quasar_core.telemetry.logs import get_logger
from quasar_core.telemetry.metrics import VERDICTS
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.api.attempts.repository import is_under_way
from services.api.attempts.states import HARMFUL
from services.api.canaries import repository as canaries
from services.api.db.models import Attempt, Submission
from services.api.submissions import repository as submissions
from services.api.submissions.moves import move

WORKERS = 2
"""One worker that came to harm may be chance, or its own fault."""

HOLD = timedelta(minutes=15)
"""How long the next attempt waits for what the canaries say."""

ROLES = {"verification": "verifier"}
BETWEEN_ATTEMPTS = (Status.QUEUED, Status.VERIFYING)

log = get_logger("api.attempts")


def harmful(session: Session, submission_id: UUID) -> Sequence[Attempt]:
    """The attempts at which a worker came to harm, the first of each."""
    rows = session.scalars(
        select(Attempt)
        .where(
            Attempt.submission_id == submission_id,
            Attempt.challenge_id.is_(None),
            Attempt.state.in_(HARMFUL),
            Attempt.worker.is_not(None),
        )
        .order_by(Attempt.minted_at.desc())
    )
    by_worker = {row.worker: row for row in rows}
    return sorted(by_worker.values(), key=lambda row: row.minted_at)


def suspicious(session: Session, submission_id: UUID) -> Sequence[Attempt]:
    """Those of workers that were healthy when they began.

    Of a worker whose canaries are switched off, nothing is ever known.
    """
    return [
        row
        for row in harmful(session, submission_id)
        if _heard_right(session, row, canaries.right_before)
    ]


def is_suspected(session: Session, submission_id: UUID) -> bool:
    """Whether several workers that were healthy came to harm by it."""
    return len(suspicious(session, submission_id)) >= WORKERS


def proven(session: Session, submission_id: UUID) -> Sequence[Attempt]:
    """Those of workers that were healthy before and after; none: not yet."""
    found = [
        row
        for row in suspicious(session, submission_id)
        if _heard_right(session, row, canaries.right_after)
    ]
    return found if len(found) >= WORKERS else ()


def _heard_right(
    session: Session,
    attempt: Attempt,
    right: Callable[[Session, str, str, datetime], bool],
) -> bool:
    """What the canaries of its worker said, before or after it began."""
    role = ROLES.get(attempt.kind, "benchmark")
    return attempt.started_at is not None and right(
        session, attempt.worker or "", role, attempt.started_at
    )


def convicted(
    session: Session, submission: Submission, *, actor: str, now: datetime
) -> bool:
    """Reject a submission that is proven to harm workers; whether it was.

    The row is locked, and no attempt at it is under way.
    """
    attempts = proven(session, submission.id)
    if not attempts:
        return False
    workers = ", ".join(row.worker or "" for row in attempts)
    rejection = Rejection(
        code=RejectionCode.HARMED_WORKER,
        stage=(
            Stage.LOGITS
            if submission.status == Status.VERIFYING
            else Stage.SMOKE
        ),
        detail=f"{len(attempts)} healthy workers broke on it",
        evidence={
            "workers": workers,
            "attempts": ", ".join(str(row.number) for row in attempts),
        },
    )
    submission.code = rejection.code
    submission.rejection = rejection.model_dump(mode="json")
    submission.not_before = None
    VERDICTS.labels(rejection.code.value).inc()
    log.error(
        "submission.harmed_workers",
        submission_id=str(submission.id),
        workers=workers,
    )
    move(
        session,
        submission,
        Status.REJECTED,
        actor=actor,
        now=now,
        evidence={
            **rejection.evidence,
            "code": rejection.code.value,
            "stage": rejection.stage.value,
            "detail": rejection.detail,
        },
    )
    return True


def heard(
    session: Session, worker: str, *, right: bool, now: datetime
) -> None:
    """A worker's canary came in: decide on what it may have come to harm by.

    Where the canary was wrong, the worker was not healthy, and whoever
    waits for its word waits no longer.
    """
    session.flush()
    for submission_id in _waiting(session, worker):
        submission = submissions.locked(session, submission_id)
        if submission is None or submission.status not in BETWEEN_ATTEMPTS:
            continue
        if not is_suspected(session, submission_id):
            continue
        if right:
            convicted(session, submission, actor="recorder", now=now)
        else:
            submission.not_before = now


def _waiting(session: Session, worker: str) -> Sequence[UUID]:
    """Submissions that this worker came to harm by, and nobody runs now."""
    return session.scalars(
        select(Submission.id)
        .join(Attempt, Attempt.submission_id == Submission.id)
        .where(
            Submission.status.in_(BETWEEN_ATTEMPTS),
            Attempt.worker == worker,
            Attempt.state.in_(HARMFUL),
            ~is_under_way(),
        )
        .distinct()
    ).all()
