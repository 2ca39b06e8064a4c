"""Frozen standings in the database."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.api.db.models import Standing
from services.api.leaderboard.entries import Ranking


def freeze(session: Session, number: int, ranking: Ranking) -> None:
    """Write a round's standings down, once and for all."""
    session.add_all(
        Standing(round_number=number, **row.model_dump())
        for row in ranking.rows()
    )
    session.flush()


def frozen(session: Session, number: int) -> Sequence[Standing]:
    """A round's frozen standings, best first."""
    return session.scalars(
        select(Standing)
        .where(Standing.round_number == number)
        .order_by(Standing.place)
    ).all()
