"""Dispatching: the next submission gets an attempt, and a queue a job."""

from __future__ import annotations

import secrets
from datetime import datetime

from quasar_core.contracts.events import (
    BenchmarkRequested,
    ChallengeRequested,
    Contender,
    Event,
    VerificationRequested,
)
from quasar_core.domain.rounds import RoundSettings
from quasar_core.telemetry.logs import get_logger
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.api.attempts import repository
from services.api.attempts.repository import FROM, Job, State
from services.api.attempts.turns import next_in_turn
from services.api.challenges import repository as challenges
from services.api.db import outbox, sources
from services.api.db.ids import new_id
from services.api.db.models import Attempt, Challenge, Submission
from services.api.rounds import repository as rounds
from services.api.submissions import repository as submissions

DISPATCH_LOCK = 0x51_6469_7370

log = get_logger("api.dispatching")


def dispatch(
    session: Session, job: Job, pool: str, ahead: int, now: datetime
) -> int:
    """Fill a queue up to `ahead` waiting messages; how many were added.

    Attempt and outbox entry are committed together. Another scheduler that
    does the same just now is left to it.
    """
    if not _alone(session):
        return 0
    added = 0
    for _ in range(ahead - repository.waiting(session, job, pool)):
        submission = _next(session, job, pool, now)
        if submission is None:
            break
        mint(session, submission, job, pool, now)
        session.flush()
        added += 1
    return added


def dispatch_challenges(
    session: Session, pool: str, ahead: int, now: datetime
) -> int:
    """The same for challenges: a round waits for them, so they go first."""
    if not _alone(session):
        return 0
    added = 0
    for _ in range(ahead - repository.waiting(session, Job.CHALLENGE, pool)):
        waiting = challenges.candidates(session, pool, now)
        if not waiting:
            break
        challenger = submissions.locked(session, waiting[0].challenger_id)
        challenge = challenges.locked(session, waiting[0].id)
        assert challenger is not None  # noqa: S101 -- a foreign key says so
        mint(session, challenger, Job.CHALLENGE, pool, now, challenge)
        session.flush()
        added += 1
    return added


def mint(
    session: Session,
    submission: Submission,
    job: Job,
    pool: str,
    now: datetime,
    challenge: Challenge | None = None,
) -> Attempt:
    """Make an attempt with a token of its own, and its job's message."""
    made = (
        repository.made(session, submission.id, job)
        if challenge is None
        else challenges.made(session, challenge.id)
    )
    attempt = Attempt(
        id=new_id(),
        submission_id=submission.id,
        challenge_id=challenge.id if challenge else None,
        kind=job,
        number=made + 1,
        pool=pool,
        fencing_token=secrets.token_hex(16),
        state=State.DISPATCHED,
        minted_at=now,
    )
    session.add(attempt)
    session.flush()
    request = (
        _request(session, submission, attempt, now)
        if challenge is None
        else _challenge(session, submission, attempt, challenge, now)
    )
    outbox.put(session, request, now=now, pool=pool, attempt_id=attempt.id)
    log.info(
        "attempt.minted",
        submission_id=str(submission.id),
        attempt_id=str(attempt.id),
        job=job.value,
        number=attempt.number,
    )
    return attempt


def _alone(session: Session) -> bool:
    if session.get_bind().dialect.name != "postgresql":
        return True  # SQLite's writers are alone anyway
    return bool(
        session.scalar(
            text("SELECT pg_try_advisory_xact_lock(:key)"),
            {"key": DISPATCH_LOCK},
        )
    )


def _next(
    session: Session, job: Job, pool: str, now: datetime
) -> Submission | None:
    chosen = next_in_turn(session, job, pool, now)
    if chosen is None:
        return None
    submission = submissions.locked(session, chosen)
    # between the choice and the lock it may have been withdrawn
    if submission is None or submission.status != FROM[job]:
        return None
    return submission


def _request(
    session: Session,
    submission: Submission,
    attempt: Attempt,
    now: datetime,
) -> Event:
    archived = None
    if submission.tree_hash is not None:
        archived = sources.archived(session, submission.tree_hash)
    if attempt.kind == Job.BENCHMARK:
        return BenchmarkRequested(
            event_id=new_id(),
            occurred_at=now,
            submission_id=submission.id,
            attempt_id=attempt.id,
            fencing_token=attempt.fencing_token,
            round_number=submission.round_number,
            attempt_number=attempt.number,
            fork_url=submission.fork_url,
            commit_hash=submission.commit_hash,
            sequence_length=submission.target_sequence_length,
            source=archived,
        )
    row = rounds.by_number(session, submission.round_number)
    if row is None or archived is None:
        raise RuntimeError("a verification without its round or its source")
    frozen = RoundSettings.from_dict(row.settings)
    return VerificationRequested(
        event_id=new_id(),
        occurred_at=now,
        submission_id=submission.id,
        attempt_id=attempt.id,
        fencing_token=attempt.fencing_token,
        round_number=submission.round_number,
        attempt_number=attempt.number,
        source=archived,
        cosine_sim_threshold=frozen.cosine_sim_threshold,
        max_diff_threshold=frozen.max_diff_threshold,
    )


def _challenge(
    session: Session,
    challenger: Submission,
    attempt: Attempt,
    challenge: Challenge,
    now: datetime,
) -> Event:
    defender = submissions.by_id(session, challenge.defender_id)
    assert defender is not None  # noqa: S101 -- a foreign key says so
    return ChallengeRequested(
        event_id=new_id(),
        occurred_at=now,
        submission_id=challenger.id,
        attempt_id=attempt.id,
        fencing_token=attempt.fencing_token,
        round_number=challenge.round_number,
        attempt_number=attempt.number,
        challenger=_contender(session, challenger),
        defender=_contender(session, defender),
    )


def _contender(session: Session, row: Submission) -> Contender:
    if row.tree_hash is None:
        raise RuntimeError(f"submission {row.id} is scored without a source")
    return Contender(
        source=sources.archived(session, row.tree_hash),
        sequence_length=row.target_sequence_length,
    )
