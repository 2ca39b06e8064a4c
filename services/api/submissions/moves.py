"""Moves: a submission changes its status, and the log says so."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any

from quasar_core.domain.leagues import (
    BelowSmallestLeague,
    league_for,
    weighted_score,
)
from quasar_core.domain.rounds import RoundSettings
from quasar_core.domain.submissions import INITIAL, Status, moves_to
from quasar_core.errors import Stage
from sqlalchemy.orm import Session

from services.api.db import eventlog
from services.api.db.models import Round, Submission
from services.api.rounds.repository import originals_changed, results_changed

RANKED = frozenset({Status.SCORED})


def facts_of(submission: Submission) -> dict[str, Any]:
    """What the log must hold of a submission to rebuild every board.

    Whoever makes these known, or changes them, has them in the evidence.
    What is sealed is empty, until it is revealed.
    """
    seal: dict[str, Any] = {}
    if submission.commitment_hash is not None:
        seal = {
            "commitment_hash": submission.commitment_hash,
            "reveal_from_block": submission.reveal_from_block,
            "reveal_until_block": submission.reveal_until_block,
            "salt": submission.salt,
        }
    return {
        **seal,
        "hotkey": submission.hotkey,
        "coldkey": submission.coldkey,
        "fork_url": submission.fork_url,
        "commit_hash": submission.commit_hash,
        "target_sequence_length": submission.target_sequence_length,
        "league": submission.league,
        "multiplier": submission.multiplier,
        "commit_block": submission.commit_block,
        "is_rerun": bool(submission.is_rerun),
        "claimed_tokens_per_sec": submission.claimed_tokens_per_sec,
        "identity": submission.identity,
        "tree_hash": submission.tree_hash,
    }


def enter(
    session: Session, submission: Submission, *, actor: str, now: datetime
) -> None:
    """Write a new submission down, and what it was entered with.

    The row's status must be one in which a life begins.
    """
    if submission.status not in INITIAL:
        raise ValueError(f"no life begins as {submission.status}")
    session.add(submission)
    session.flush()
    eventlog.append(
        session,
        kind="moved",
        actor=actor,
        now=now,
        submission_id=submission.id,
        round_number=submission.round_number,
        to_status=submission.status,
        evidence=facts_of(submission),
    )
    _claim_work(session, submission)


def _claim_work(session: Session, submission: Submission) -> None:
    """Whose code is known in a league may be the first there with it."""
    if submission.identity is not None:
        originals_changed(session, submission.identity, submission.league)


def archive(
    session: Session,
    submission: Submission,
    *,
    identity: str,
    tree_hash: str,
    now: datetime,
) -> None:
    """Let the code of a submission be known from now on."""
    submission.identity, submission.tree_hash = identity, tree_hash
    submission.updated_at = now
    _claim_work(session, submission)


def reveal(
    session: Session, submission: Submission, *, actor: str, now: datetime
) -> None:
    """Move a commitment, whose seal was opened, into the queue.

    Its fields are what was sealed; the log tells them as it does of a
    submission that was never sealed.
    """
    move(
        session,
        submission,
        Status.QUEUED,
        actor=actor,
        now=now,
        evidence=facts_of(submission),
    )


def move(
    session: Session,
    submission: Submission,
    to: Status,
    *,
    actor: str,
    now: datetime,
    evidence: dict[str, Any] | None = None,
) -> None:
    """Move a submission, through what the move implies.

    The row must be locked by this transaction. Raises IllegalMove for what
    the table does not hold. The evidence stands at the last step.
    """
    for step in moves_to(Status(submission.status), to):
        start = Status(submission.status)
        submission.status = step
        submission.updated_at = now
        submission.stage = None
        eventlog.append(
            session,
            kind="moved",
            actor=actor,
            now=now,
            submission_id=submission.id,
            round_number=submission.round_number,
            from_status=start,
            to_status=step,
            evidence=evidence if step is to else {"implied_by": to.value},
        )
        if step is Status.INVALIDATED and submission.identity is not None:
            originals_changed(
                session,
                submission.identity,
                submission.league,
                submission.round_number,
            )
        elif step in RANKED or start in RANKED:
            results_changed(session, submission.round_number)


def tell_stage(
    session: Session,
    submission: Submission,
    stage: Stage,
    *,
    actor: str,
    now: datetime,
    evidence: dict[str, Any],
) -> None:
    """Note in the log that a stage began, or was passed."""
    eventlog.append(
        session,
        kind="stage",
        actor=actor,
        now=now,
        submission_id=submission.id,
        round_number=submission.round_number,
        stage=stage,
        evidence=evidence,
    )


def carry_over(
    session: Session,
    submission: Submission,
    to: Round,
    *,
    actor: str,
    now: datetime,
) -> None:
    """Let an unfinished submission go on in another round.

    It plays in that round's leagues, where one takes it, and else in the
    one that it was sent for.
    """
    start = submission.round_number
    _claim_work(session, submission)
    submission.round_number = to.number
    submission.updated_at = now
    with suppress(BelowSmallestLeague):
        league = league_for(
            submission.target_sequence_length,
            RoundSettings.from_dict(to.settings).league_unit,
        )
        submission.league = league.name
        submission.multiplier = league.multiplier
        if submission.tokens_per_sec is not None:
            submission.weighted_score = weighted_score(
                submission.tokens_per_sec, league
            )
    eventlog.append(
        session,
        kind="carried",
        actor=actor,
        now=now,
        submission_id=submission.id,
        round_number=to.number,
        from_status=submission.status,
        to_status=submission.status,
        evidence={
            "from_round": start,
            "to_round": to.number,
            "league": submission.league,
            "multiplier": submission.multiplier,
            "weighted_score": submission.weighted_score,
        },
    )
    _claim_work(session, submission)
