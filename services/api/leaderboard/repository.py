"""Frozen standings in the database."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.api.db.models import Standing
from services.api.leaderboard.entries import Ranking


def freeze(session: Session, number: int, ranking: Ranking) -> None:
    """Write a round's standings down, once and for all."""
    for placing in ranking.placings:
        entry = placing.entry
        session.add(
            Standing(
                round_number=number,
                place=placing.place,
                level=placing.level,
                submission_id=UUID(entry.submission_id),
                hotkey=entry.hotkey,
                coldkey=entry.coldkey,
                league=entry.league,
                target_sequence_length=entry.sequence_length,
                tokens_per_sec=entry.tokens_per_sec,
                weighted_score=entry.weighted_score,
                speedup_vs_baseline=entry.speedup_vs_baseline,
                commit_block=entry.commit_block,
                paid_place=placing.paid_place,
                share=ranking.share_of(placing),
                unpaid_reason=placing.unpaid_reason,
            )
        )
    session.flush()


def frozen(session: Session, number: int) -> Sequence[Standing]:
    """A round's frozen standings, best first."""
    return session.scalars(
        select(Standing)
        .where(Standing.round_number == number)
        .order_by(Standing.place)
    ).all()
