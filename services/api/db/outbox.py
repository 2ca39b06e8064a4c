"""The outbox: events that are committed with their cause, then published."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from quasar_core.contracts.events import EVENTS, Event
from sqlalchemy import Select, delete, or_, select, update
from sqlalchemy.orm import Session

from services.api.db.models import Attempt
from services.api.db.records import OutboxRow

CLAIM_SECONDS = 15
AT_ONCE = 20
"""How many are claimed at once."""


@dataclass(frozen=True)
class Parcel:
    """An event on its way, with the pool whose queue it is for."""

    row_id: int
    attempt_id: UUID | None
    event: Event
    pool: str | None


def put(
    session: Session,
    event: Event,
    *,
    now: datetime,
    pool: str | None = None,
    attempt_id: UUID | None = None,
) -> None:
    """Add an event to what must be published, in the caller's transaction."""
    session.add(
        OutboxRow(
            event_name=event.event_name,
            pool=pool,
            attempt_id=attempt_id,
            body=event.model_dump(mode="json"),
            created_at=now,
        )
    )


def due(now: Any) -> Select[OutboxRow]:
    """What waits and nobody is publishing; `now` may be an expression."""
    return select(OutboxRow).where(
        OutboxRow.published_at.is_(None),
        or_(
            OutboxRow.claimed_until.is_(None),
            OutboxRow.claimed_until < now,
        ),
    )


def claim(
    session: Session, now: datetime, limit: int = AT_ONCE
) -> tuple[Parcel, ...]:
    """Take what is due for a while; another scheduler leaves it alone.

    The broker is spoken to outside of any transaction. Who is killed
    before `mark_published` leaves a claim that runs out: at least once.
    """
    rows = session.scalars(
        due(now)
        .order_by(OutboxRow.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        row.claimed_until = now + timedelta(seconds=CLAIM_SECONDS)
    return tuple(
        Parcel(
            row_id=row.id,
            attempt_id=row.attempt_id,
            event=EVENTS[row.event_name].model_validate(row.body),
            pool=row.pool,
        )
        for row in rows
    )


def mark_published(
    session: Session, parcels: tuple[Parcel, ...], now: datetime
) -> None:
    """Note that the broker has them; their dispatch counts from now."""
    attempts = [one.attempt_id for one in parcels if one.attempt_id]
    if parcels:
        session.execute(
            update(OutboxRow)
            .where(OutboxRow.id.in_([one.row_id for one in parcels]))
            .values(published_at=now, claimed_until=None)
        )
    if attempts:
        session.execute(
            update(Attempt)
            .where(Attempt.id.in_(attempts))
            .values(published_at=now)
        )


def release(session: Session, parcels: tuple[Parcel, ...]) -> None:
    """Give back what the broker did not take."""
    if not parcels:
        return
    session.execute(
        update(OutboxRow)
        .where(
            OutboxRow.id.in_([parcel.row_id for parcel in parcels]),
            OutboxRow.published_at.is_(None),
        )
        .values(claimed_until=None)
    )


def withdraw(session: Session, attempt_id: UUID) -> None:
    """Drop an attempt's message that has not been published."""
    session.execute(
        delete(OutboxRow).where(
            OutboxRow.attempt_id == attempt_id,
            OutboxRow.published_at.is_(None),
        )
    )


def purge(session: Session, before: datetime) -> None:
    """Forget what was published before a moment."""
    session.execute(delete(OutboxRow).where(OutboxRow.published_at < before))
