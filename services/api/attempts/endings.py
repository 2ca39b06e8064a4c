"""Endings: how an attempt is over, and where its submission goes then."""

from __future__ import annotations

from datetime import datetime, timedelta

from quasar_core.domain.outcomes import Outcome
from quasar_core.domain.submissions import (
    MAX_ATTEMPTS,
    Status,
    after_lost_attempt,
)
from quasar_core.errors import Stage
from quasar_core.telemetry.logs import get_logger
from quasar_core.telemetry.metrics import ATTEMPTS, VERDICTS
from sqlalchemy.orm import Session

from services.api.attempts import harm, repository
from services.api.attempts.repository import Job, State
from services.api.challenges import repository as challenges
from services.api.db import outbox
from services.api.db.models import Attempt, Submission
from services.api.submissions.moves import move

MAX_BACKOFF_SECONDS = 600.0

log = get_logger("api.attempts")


def finish(
    attempt: Attempt, state: State, now: datetime, reason: str = ""
) -> None:
    """Close an attempt: from now on its token opens nothing."""
    attempt.state = state
    attempt.finished_at = now
    attempt.lease_until = None
    attempt.held = None
    # PostgreSQL keeps no NUL in text
    attempt.reason = reason[:1_000].replace("\0", "?") or None
    ATTEMPTS.labels(attempt.kind, state.value).inc()


def give_up(
    session: Session,
    submission: Submission,
    attempt: Attempt,
    state: State,
    *,
    reason: str,
    actor: str,
    now: datetime,
    backoff_seconds: float,
    stage: Stage | None = None,
) -> None:
    """An attempt came to nothing: another one later, or no more.

    `state` is failed, harmed or lost; both rows are locked. Everybody reads
    that and the stage, and nobody but the operator the reason: it may be an
    exception's own words. At most three attempts, and the wait before the
    next doubles. Where a second worker that was
    healthy came to harm, the submission is turned down if both are known to
    be healthy still, and waits for that word otherwise.
    """
    finish(attempt, state, now, reason)
    session.flush()
    if attempt.challenge_id is not None:
        _put_off(session, attempt, now, backoff_seconds)
        return
    job = Job(attempt.kind)
    spent = repository.spent(session, submission.id, job)
    status = Status(submission.status)
    goes_to = after_lost_attempt(status, spent)
    evidence = {
        "attempt": attempt.number,
        "worker": attempt.worker,
        "outcome": state.value,
        "stage": stage or submission.stage,
    }
    log.warning(
        "attempt.given_up",
        submission_id=str(submission.id),
        attempt_id=str(attempt.id),
        job=job.value,
        goes_to=goes_to.value,
        reason=attempt.reason,
        **evidence,
    )
    if harm.convicted(session, submission, actor=actor, now=now):
        return
    submission.not_before = now + _wait(spent, backoff_seconds)
    if harm.is_suspected(session, submission.id):
        submission.not_before = now + harm.HOLD
    if goes_to is not Status.QUEUED or status is not Status.QUEUED:
        move(
            session,
            submission,
            goes_to,
            actor=actor,
            now=now,
            evidence=evidence,
        )
    if goes_to is Status.INFRA_FAILED:
        VERDICTS.labels("failed_run").inc()


def _wait(spent: int, backoff_seconds: float) -> timedelta:
    seconds = min(backoff_seconds * 2 ** (spent - 1), MAX_BACKOFF_SECONDS)
    return timedelta(seconds=seconds)


def _put_off(
    session: Session, attempt: Attempt, now: datetime, backoff_seconds: float
) -> None:
    """A challenge came to nothing: once more later, or it stays open.

    Its two submissions stay where they are; what is left undecided when
    the round is frozen is no passage.
    """
    assert attempt.challenge_id is not None  # noqa: S101 -- the caller asked
    challenge = challenges.locked(session, attempt.challenge_id)
    spent = challenges.spent(session, challenge.id)
    log.warning(
        "challenge.given_up",
        challenge_id=str(challenge.id),
        attempt_id=str(attempt.id),
        outcome=attempt.state,
        reason=attempt.reason,
        spent=spent,
    )
    challenge.not_before = now + _wait(spent, backoff_seconds)
    if spent >= MAX_ATTEMPTS and challenge.outcome is None:
        challenges.decide(
            session, challenge, Outcome.UNDECIDED, actor="scheduler", now=now
        )


def not_delivered(session: Session, attempt: Attempt, now: datetime) -> None:
    """A message was lost on its way: its submission is next again.

    No worker had it, so it does not count towards the three.
    """
    finish(attempt, State.UNDELIVERED, now, "no worker started it")
    outbox.withdraw(session, attempt.id)
    log.warning(
        "attempt.undelivered",
        submission_id=str(attempt.submission_id),
        attempt_id=str(attempt.id),
    )
