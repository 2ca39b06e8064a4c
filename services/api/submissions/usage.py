"""Usage: what a miner has used of the quotas, counted in the database."""

from __future__ import annotations

from uuid import UUID

from quasar_core.domain.submissions import PENDING, Status
from sqlalchemy import ColumnElement, ScalarSelect, func, or_, select
from sqlalchemy.orm import Session

from services.api.db.models import Attempt, Submission

Count = ScalarSelect[int]
"""A number that is asked for together with others, in one statement."""


def counted(session: Session, *counts: Count) -> tuple[int, ...]:
    """The numbers, by one question to the database."""
    return tuple(session.execute(select(*counts)).one())


def _count(*conditions: ColumnElement[bool]) -> Count:
    return (
        select(func.count())
        .select_from(Submission)
        .where(*conditions)
        .scalar_subquery()
    )


def unrevealed(hotkey: str) -> Count:
    """How many commitments of a hotkey are not revealed."""
    return _count(
        Submission.hotkey == hotkey, Submission.status == Status.COMMITTED
    )


def waiting_in_league(coldkey: str, league: str) -> Count:
    """How many of a coldkey's wait or are being judged in a league."""
    return _count(
        Submission.coldkey == coldkey,
        Submission.status.in_(PENDING),
        Submission.league == league,
        Submission.is_rerun.is_(False),
    )


def sent_in_round(
    coldkey: str, number: int, apart_from: UUID | None = None
) -> Count:
    """How many of a coldkey's were or will be judged in a round.

    What the platform failed at is free, and so is what was withdrawn
    before any worker could take it; but a commitment counts, revealed or
    not.
    """
    handed_out = (
        select(Attempt.id)
        .where(
            Attempt.submission_id == Submission.id,
            Attempt.published_at.is_not(None),
        )
        .exists()
    )
    conditions = [
        Submission.coldkey == coldkey,
        Submission.status != Status.INFRA_FAILED,
        or_(
            Submission.status != Status.WITHDRAWN,
            Submission.commitment_hash.is_not(None),
            handed_out,
        ),
        Submission.round_number == number,
        Submission.is_rerun.is_(False),
    ]
    if apart_from is not None:
        conditions.append(Submission.id != apart_from)
    return _count(*conditions)
