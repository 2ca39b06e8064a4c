"""The event log: rows are only ever added, and sealed into a hash chain."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from services.api.db.records import LogBlock, LogRow

GENESIS_HASH = "0" * 64
SEALER = "the event log's next block"
"""Whose writes the making of a block is: they follow one another."""

_SEALED = func.coalesce(
    select(LogBlock.last_sequence)
    .order_by(LogBlock.number.desc())
    .limit(1)
    .scalar_subquery(),
    0,
)
_UNSEALED = select(func.count()).where(LogRow.sequence > _SEALED)
_VERSION = select(_SEALED, _UNSEALED.scalar_subquery())


def append(
    session: Session,
    *,
    kind: str,
    actor: str,
    now: datetime,
    submission_id: UUID | None = None,
    round_number: int | None = None,
    from_status: str | None = None,
    to_status: str | None = None,
    stage: str | None = None,
    evidence: dict[str, Any] | None = None,
) -> None:
    """Add a row, in the transaction of what it tells of."""
    session.add(
        LogRow(
            kind=kind,
            actor=actor,
            occurred_at=now,
            submission_id=submission_id,
            round_number=round_number,
            from_status=from_status,
            to_status=to_status,
            stage=stage,
            evidence=evidence or {},
        )
    )


def last_sequence(session: Session) -> int:
    """The number of the newest row; 0 before the first.

    In a session of `Database.write(sealing=True)` no row below it can still
    appear, then or later.
    """
    return session.scalar(select(func.max(LogRow.sequence))) or 0


def seal(session: Session, now: datetime, until: int | None = None) -> str:
    """Seal what was added since the last block; the newest block's hash.

    The session must be one of `Database.write(sealing=True)`: then no row
    below the block's last one can still appear. Or one told `until` which
    row that holds: `last_sequence`, as such a session saw it; its owner is
    SEALER, so that nobody else makes a block meanwhile.
    """
    session.flush()
    newest = newest_block(session)
    sealed = newest.last_sequence if newest else 0
    query = select(LogRow).where(LogRow.sequence > sealed)
    if until is not None:
        query = query.where(LogRow.sequence <= until)
    rows = session.scalars(query.order_by(LogRow.sequence)).all()
    previous = newest.hash if newest else GENESIS_HASH
    if not rows:
        return previous
    digests = [[row.sequence, row_digest(row)] for row in rows]
    block = LogBlock(
        number=newest.number + 1 if newest else 1,
        first_sequence=rows[0].sequence,
        last_sequence=rows[-1].sequence,
        row_count=len(rows),
        previous_hash=previous,
        hash=block_hash(previous, (digest for _, digest in digests)),
        sealed_at=now,
        row_digests=digests,
    )
    session.add(block)
    session.flush()
    return block.hash


def newest_block(session: Session) -> LogBlock | None:
    """The block that was sealed last, if any was."""
    return session.scalars(
        select(LogBlock).order_by(LogBlock.number.desc()).limit(1)
    ).first()


def block_hash(previous: str, digests: Iterable[str]) -> str:
    """SHA-256 over the previous block's hash and the rows' digests."""
    digest = hashlib.sha256(bytes.fromhex(previous))
    for row in digests:
        digest.update(bytes.fromhex(row))
    return digest.hexdigest()


def row_digest(row: LogRow, sequence: int | None = None) -> str:
    """SHA-256 of a row, by which a block knows it again."""
    return hashlib.sha256(canonical(row, sequence)).hexdigest()


def canonical(row: LogRow, sequence: int | None = None) -> bytes:
    """A row as bytes: one line of JSON, the same on every engine.

    `sequence` stands for the row's own, where it is asked what the row
    would be in another place.
    """
    fields = [
        sequence or row.sequence,
        str(row.submission_id) if row.submission_id else None,
        row.round_number,
        row.kind,
        row.actor,
        row.from_status,
        row.to_status,
        row.stage,
        row.evidence,
        row.occurred_at.isoformat(timespec="microseconds"),
    ]
    line = json.dumps(
        fields, sort_keys=True, separators=(",", ":"), allow_nan=False
    )
    return line.encode() + b"\n"


def version(session: Session) -> str:
    """What is another after each row of the log that came to be seen.

    Rows above the newest block may appear out of order, so they are
    counted; below its end none can still appear.
    """
    until, more = session.execute(_VERSION).one()
    return f"{until}-{more}"


def unsealed(session: Session) -> int:
    """How many rows wait for their block."""
    newest = newest_block(session)
    sealed = newest.last_sequence if newest else 0
    count = select(func.count()).where(LogRow.sequence > sealed)
    return session.scalar(count) or 0
