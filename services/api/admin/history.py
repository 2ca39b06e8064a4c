"""The history of orders: what administrators did, read from the log."""

from __future__ import annotations

from datetime import datetime

from quasar_core.contracts.http import AdminLog, BanKind, OrderRecord
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.api.db.records import ORDERED, LogRow

LARGEST_SEQUENCE = 2**63 - 1
CLOSING = "close-round"
FOLLOWS = "carried"
"""The kind of row that an order brings with it, without one of its own."""


def orders(session: Session, *, before: int | None, limit: int) -> AdminLog:
    """What was ordered, newest first, from below a row's number."""
    query = (
        select(LogRow)
        .where(ORDERED, LogRow.kind != FOLLOWS)
        .order_by(LogRow.sequence.desc())
        .limit(limit + 1)
    )
    if before is not None:
        query = query.where(LogRow.sequence < before)
    rows = session.scalars(query).all()
    more = len(rows) > limit
    return AdminLog(
        orders=tuple(record(row) for row in rows[:limit]),
        next_cursor=str(rows[limit - 1].sequence) if more else None,
    )


def record(row: LogRow) -> OrderRecord:
    """A row of the log as an order; an old one of a round has no name."""
    told = row.evidence
    kind, until = told.get("kind"), told.get("until")
    return OrderRecord(
        sequence=row.sequence,
        ordered_at=row.occurred_at,
        ordered_by=row.actor.removeprefix("admin:"),
        order=told.get("order", CLOSING),
        reason=told["reason"],
        submission_id=row.submission_id,
        round_number=row.round_number,
        from_status=row.from_status,
        to_status=row.to_status,
        kind=BanKind(kind) if kind else None,
        subject=told.get("subject"),
        until=datetime.fromisoformat(until) if until else None,
    )
