"""Rounds in the database."""

from __future__ import annotations

from collections.abc import Sequence

from quasar_core.domain.rounds import RoundStatus
from quasar_core.domain.submissions import Status
from sqlalchemy import Select, and_, or_, select, update
from sqlalchemy.orm import Session

from services.api.db.models import Round, Submission
from services.api.db.records import Baseline

_OPEN = select(Round).where(Round.status == RoundStatus.OPEN)

FROZEN = (RoundStatus.FINALISED, RoundStatus.WEIGHED)
SOON_SCORED = (Status.VERIFYING, Status.SCORED, Status.QUARANTINED)
"""Scored, or by one move: perhaps in this moment, by somebody else."""


def by_number(session: Session, number: int) -> Round | None:
    """The round of this number."""
    return session.get(Round, number)


def locked(session: Session, number: int) -> Round:
    """The round as it is now, kept from others until the end."""
    return session.scalars(
        select(Round)
        .where(Round.number == number)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def open_round(session: Session) -> Round | None:
    """The round that takes submissions; None before the first."""
    return session.scalars(_OPEN).first()


def open_pool() -> Select[str]:
    """The pool of the round that takes submissions."""
    return _OPEN.with_only_columns(Round.pool)


def newest(session: Session) -> Round | None:
    """The round that opened last."""
    return session.scalars(
        select(Round).order_by(Round.number.desc()).limit(1)
    ).first()


def unweighed(session: Session, *, lock: bool = False) -> Sequence[Round]:
    """The rounds that will still move, oldest first."""
    query = (
        select(Round)
        .where(Round.status != RoundStatus.WEIGHED)
        .order_by(Round.number)
    )
    return session.scalars(query.with_for_update() if lock else query).all()


def latest_frozen(session: Session) -> Round | None:
    """The newest round whose standings are final."""
    return session.scalars(
        select(Round)
        .where(Round.status.in_(FROZEN))
        .order_by(Round.number.desc())
        .limit(1)
    ).first()


def page(session: Session, before: int | None, limit: int) -> Sequence[Round]:
    """Rounds below a number, newest first."""
    query = select(Round).order_by(Round.number.desc()).limit(limit)
    if before is not None:
        query = query.where(Round.number < before)
    return session.scalars(query).all()


def results_changed(session: Session, number: int) -> None:
    """Let every board of this round be made anew."""
    session.execute(
        update(Round)
        .where(Round.number == number)
        .values(results_version=Round.results_version + 1)
        .execution_options(synchronize_session=False)
    )


def originals_changed(
    session: Session, identity: str, league: str, besides: int | None = None
) -> None:
    """Let the boards be made anew on which copies of a work stand.

    Who was first with it decides in every round that is not frozen.
    `besides` is a round whose boards change whatever stands on them. Rounds
    are locked in the order of their numbers, as the scheduler locks them.
    """
    copied = select(Submission.round_number).where(
        Submission.identity == identity,
        Submission.league == league,
        Submission.status.in_(SOON_SCORED),
    )
    changed = (
        select(Round.number)
        .where(
            or_(
                Round.number == besides,
                and_(Round.status.not_in(FROZEN), Round.number.in_(copied)),
            )
        )
        .order_by(Round.number)
        .with_for_update()
    )
    session.execute(
        update(Round)
        .where(Round.number.in_(changed))
        .values(results_version=Round.results_version + 1)
        .execution_options(synchronize_session=False)
    )


def baselines(session: Session, number: int) -> Sequence[Baseline]:
    """What the round's workers measured of the trusted kernel."""
    return session.scalars(
        select(Baseline)
        .where(Baseline.round_number == number)
        .order_by(Baseline.worker, Baseline.sequence_length)
    ).all()
