"""Commitments in the database: rows of submissions that have a seal."""

from __future__ import annotations

from collections.abc import Sequence

from quasar_core.domain.submissions import Status
from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session

from services.api.db.models import Submission


def committed(
    session: Session, hotkey: str, commitment_hash: str
) -> Submission | None:
    """A hotkey's commitment, whatever became of it; locked."""
    return session.scalars(
        select(Submission)
        .where(
            Submission.hotkey == hotkey,
            Submission.commitment_hash == commitment_hash,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()


def salt_is_known(session: Session, hotkey: str, salt: str) -> bool:
    """Whether a hotkey has revealed anything with this salt."""
    return bool(
        session.scalar(
            select(
                exists().where(
                    Submission.hotkey == hotkey, Submission.salt == salt
                )
            )
        )
    )


def any_overdue(session: Session, height: int) -> bool:
    """Whether a commitment's window has ended below a block."""
    return bool(session.scalar(select(exists().where(*_overdue(height)))))


def overdue(session: Session, height: int, limit: int) -> Sequence[Submission]:
    """Commitments whose window has ended below a block; locked.

    What another scheduler is at just now is left to it.
    """
    return session.scalars(
        select(Submission)
        .where(*_overdue(height))
        .order_by(Submission.reveal_until_block, Submission.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()


def _overdue(height: int) -> tuple[ColumnElement[bool], ...]:
    return (
        Submission.status == Status.COMMITTED,
        Submission.reveal_until_block < height,
    )
