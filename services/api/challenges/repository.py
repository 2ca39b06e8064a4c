"""Challenges in the database, and what the log says of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from quasar_core.domain.outcomes import Outcome, Outcomes, Pair, Ratio
from quasar_core.domain.submissions import Status
from sqlalchemy import ColumnElement, Select, bindparam, func, or_, select
from sqlalchemy.orm import (
    Session,
    aliased,
    load_only,
)

from services.api.attempts.states import LIVE, SPENT
from services.api.db import eventlog
from services.api.db.ids import new_id
from services.api.db.models import Attempt, Challenge, Round, Submission
from services.api.rounds.repository import results_changed

CANDIDATES = 100


def locked(session: Session, challenge_id: UUID) -> Challenge:
    """The challenge as it is now, kept from others until the end."""
    return session.scalars(
        select(Challenge)
        .where(Challenge.id == challenge_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def of_round(session: Session, number: int) -> Sequence[Challenge]:
    """All challenges of a round, oldest first."""
    return session.scalars(
        select(Challenge)
        .where(Challenge.round_number == number)
        .order_by(Challenge.id)
    ).all()


_CHALLENGER, _DEFENDER = aliased(Submission), aliased(Submission)
_DUELS = (
    select(Challenge, _CHALLENGER, _DEFENDER)
    .join(_CHALLENGER, _CHALLENGER.id == Challenge.challenger_id)
    .join(_DEFENDER, _DEFENDER.id == Challenge.defender_id)
    .where(Challenge.round_number == bindparam("round_number"))
    .options(
        *(
            load_only(
                side.hotkey,
                side.league,
                side.target_sequence_length,
                side.weighted_score,
            )
            for side in (_CHALLENGER, _DEFENDER)
        )
    )
    .order_by(Challenge.id.desc())
)
"""Both sides with what is told of them; made once, since aliases are dear."""


class Duel(NamedTuple):
    """A challenge, and the two that it is between."""

    challenge: Challenge
    challenger: Submission
    defender: Submission


def duels(
    session: Session,
    number: int,
    *,
    hotkey: str | None = None,
    before: UUID | None = None,
    limit: int = 50,
) -> Sequence[Duel]:
    """Challenges of a round, newest first, from below `before`.

    With `hotkey` those alone in which one of the two is that miner's.
    """
    query = _DUELS.limit(limit)
    if hotkey is not None:
        query = query.where(
            or_(_CHALLENGER.hotkey == hotkey, _DEFENDER.hotkey == hotkey)
        )
    if before is not None:
        query = query.where(Challenge.id < before)
    rows = session.execute(query, {"round_number": number})
    return [Duel(*row) for row in rows]


def outcomes(session: Session, number: int) -> Outcomes:
    """What the challenges of a round have shown so far."""
    return {
        pair_of(row): Outcome(row.outcome)
        for row in of_round(session, number)
        if row.outcome is not None
    }


def pair_of(row: Challenge) -> Pair:
    """The pair as the rules name it."""
    return (str(row.challenger_id), str(row.defender_id))


def open_in_round(session: Session, number: int) -> int:
    """How many challenges of a round wait for an outcome that can come."""
    query = select(func.count()).where(
        Challenge.round_number == number, *_open()
    )
    return session.scalar(query) or 0


def _open() -> tuple[ColumnElement[bool], ...]:
    """Undecided, and neither of the two was taken out of the ranking."""
    scored = select(Submission.id).where(Submission.status == Status.SCORED)
    return (
        Challenge.outcome.is_(None),
        Challenge.challenger_id.in_(scored),
        Challenge.defender_id.in_(scored),
    )


def enter(
    session: Session, number: int, pair: Pair, *, actor: str, now: datetime
) -> Challenge:
    """Let a passage be run once more; the log and the boards say so."""
    challenger, defender = pair
    row = Challenge(
        id=new_id(),
        round_number=number,
        challenger_id=UUID(challenger),
        defender_id=UUID(defender),
        created_at=now,
    )
    session.add(row)
    session.flush()
    tell(session, row, "waiting", {}, actor=actor, now=now)
    results_changed(session, number)
    return row


def decide(
    session: Session,
    row: Challenge,
    outcome: Outcome,
    *,
    actor: str,
    now: datetime,
    ratio: Ratio | None = None,
    evidence: dict[str, Any] | None = None,
) -> None:
    """Write an outcome down, once; the boards change with it."""
    row.outcome = outcome
    row.decided_at = now
    told = dict(evidence or {})
    if ratio is not None:
        row.ratio_low, row.ratio_high = ratio.low, ratio.high
        told |= {"ratio_low": ratio.low, "ratio_high": ratio.high}
    tell(session, row, outcome, told, actor=actor, now=now)
    results_changed(session, row.round_number)


def tell(
    session: Session,
    row: Challenge,
    outcome: str,
    evidence: dict[str, Any],
    *,
    actor: str,
    now: datetime,
) -> None:
    """Note in the log what has become of a challenge."""
    challenger, defender = pair_of(row)
    eventlog.append(
        session,
        kind="challenge",
        actor=actor,
        now=now,
        round_number=row.round_number,
        to_status=outcome,
        evidence={
            **evidence,
            "challenger": challenger,
            "defender": defender,
        },
    )


def ready(pool: Any, now: Any) -> Select[Challenge]:
    """The challenges of a pool that could be run now; of expressions, too.

    A submission has one live attempt at a time, so its challenges take
    turns.
    """
    live = (
        select(Attempt.id)
        .where(
            Attempt.submission_id == Challenge.challenger_id,
            Attempt.state.in_(LIVE),
        )
        .exists()
    )
    return (
        select(Challenge)
        .join(Round, Round.number == Challenge.round_number)
        .where(
            *_open(),
            or_(Challenge.not_before.is_(None), Challenge.not_before <= now),
            Round.pool == pool,
            ~live,
        )
    )


def candidates(
    session: Session, pool: str, now: datetime
) -> Sequence[Challenge]:
    """The challenges of a pool that could be run now, oldest first."""
    return session.scalars(
        ready(pool, now).order_by(Challenge.id).limit(CANDIDATES)
    ).all()


def made(session: Session, challenge_id: UUID) -> int:
    """How many attempts there were at a challenge."""
    query = select(func.count()).where(Attempt.challenge_id == challenge_id)
    return session.scalar(query) or 0


def spent(session: Session, challenge_id: UUID) -> int:
    """How many of them a worker took and did not finish."""
    query = select(func.count()).where(
        Attempt.challenge_id == challenge_id, Attempt.state.in_(SPENT)
    )
    return session.scalar(query) or 0


def live_attempts(session: Session, challenge_id: UUID) -> Sequence[Attempt]:
    """The attempts at a challenge that still go on; locked."""
    return session.scalars(
        select(Attempt)
        .where(Attempt.challenge_id == challenge_id, Attempt.state.in_(LIVE))
        .with_for_update()
    ).all()
