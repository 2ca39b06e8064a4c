"""Usage: what a miner has used of the quotas, counted in the database."""

from __future__ import annotations

from uuid import UUID

from quasar_core.domain.quotas import QuotaUse
from quasar_core.domain.submissions import PENDING, Status
from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    bindparam,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Session

from services.api.db.models import Attempt, Submission

NOBODY = UUID(int=0)
"""The id of no submission."""


def use_of(
    session: Session,
    coldkey: str,
    hotkey: str,
    league: str | None,
    round_number: int,
    apart_from: UUID | None = None,
) -> QuotaUse:
    """What is used up, by one question; nothing waits in no league."""
    asked = {
        "coldkey": coldkey,
        "hotkey": hotkey,
        "league": league or "",
        "round_number": round_number,
        "apart_from": apart_from or NOBODY,
    }
    waiting, this_round, unrevealed = session.execute(_USE, asked).one()
    return QuotaUse(waiting, this_round, unrevealed)


def _count(*conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    return (
        select(func.count())
        .select_from(Submission)
        .where(*conditions)
        .scalar_subquery()
    )


def _waiting_in_league() -> ScalarSelect[int]:
    """How many of a coldkey's wait or are being judged in a league."""
    return _count(
        Submission.coldkey == bindparam("coldkey"),
        Submission.status.in_(PENDING),
        Submission.league == bindparam("league"),
        Submission.is_rerun.is_(False),
    )


def _sent_in_round() -> ScalarSelect[int]:
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
    return _count(
        Submission.coldkey == bindparam("coldkey"),
        Submission.status != Status.INFRA_FAILED,
        or_(
            Submission.status != Status.WITHDRAWN,
            Submission.commitment_hash.is_not(None),
            handed_out,
        ),
        Submission.round_number == bindparam("round_number"),
        Submission.is_rerun.is_(False),
        Submission.id != bindparam("apart_from"),
    )


def _unrevealed() -> ScalarSelect[int]:
    """How many commitments of a hotkey are not revealed."""
    return _count(
        Submission.hotkey == bindparam("hotkey"),
        Submission.status == Status.COMMITTED,
    )


_USE = select(_waiting_in_league(), _sent_in_round(), _unrevealed())
