"""Tampering: what of the sealed log is not as it was sealed, by name."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.api.db.eventlog import (
    GENESIS_HASH,
    block_hash,
    canonical,
    row_digest,
)
from services.api.db.records import LogBlock, LogRow

BEFORE_ALL = -(2**63)
"""Below every number that a row can be given, by whomever."""

MOVES_LOOKED_FOR = 200
"""Beyond so many changed rows of a block nobody asks which became which."""


@dataclass(frozen=True)
class Finding:
    """Something that is not as the log says, and where it stands."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def findings(session: Session) -> Iterator[Finding]:
    """All that is wrong with the sealed part of the log, oldest first.

    Rows that no block has sealed yet prove nothing and are not looked at.
    """
    previous, number, sealed = GENESIS_HASH, 0, BEFORE_ALL
    blocks = select(LogBlock).order_by(LogBlock.number)
    for block in session.scalars(blocks).all():
        for gone in range(number + 1, block.number):
            yield Finding(f"block {gone} of the log", "is not there")
        if block.previous_hash != previous:
            yield _about(block, "does not follow the block before it")
        rows = _rows(session, sealed, block.last_sequence)
        yield from _of_block(block, rows)
        previous, number = block.hash, block.number
        sealed = max(sealed, block.last_sequence)


def _rows(session: Session, after: int, until: int) -> Sequence[LogRow]:
    return session.scalars(
        select(LogRow)
        .where(LogRow.sequence > after, LogRow.sequence <= until)
        .order_by(LogRow.sequence)
    ).all()


def _of_block(block: LogBlock, rows: Sequence[LogRow]) -> Iterator[Finding]:
    if block.row_digests is None:
        if not _as_sealed_at_once(block, rows):
            yield _about(block, "does not hold what was sealed")
        return
    sealed: dict[int, str] = dict(block.row_digests)
    bounds = (block.first_sequence, block.last_sequence, block.row_count)
    hashed = block_hash(block.previous_hash, sealed.values())
    if hashed != block.hash or bounds != (
        min(sealed, default=0),
        max(sealed, default=0),
        len(sealed),
    ):
        yield _about(block, "was itself changed")
    yield from _of_rows(block, sealed, rows)


def _of_rows(
    block: LogBlock, sealed: Mapping[int, str], rows: Sequence[LogRow]
) -> Iterator[Finding]:
    there = {row.sequence: row for row in rows}
    strange = [
        row
        for row in rows
        if row.sequence not in sealed
        or row_digest(row) != sealed[row.sequence]
    ]
    missing = [sequence for sequence in sealed if sequence not in there]
    open_places = [*missing, *(row.sequence for row in strange)]
    for row in strange:
        origin = _origin(row, sealed, open_places)
        if origin is not None:
            what = f"is the row that was sealed as row {origin}"
        elif row.sequence in sealed:
            what = f"was changed after block {block.number} had sealed it"
        else:
            what = f"was slipped in after block {block.number} was sealed"
        yield Finding(f"row {row.sequence} of the log", what)
    for sequence in missing:
        yield Finding(
            f"row {sequence} of the log",
            f"is gone; block {block.number} had sealed it",
        )


def _origin(
    row: LogRow, sealed: Mapping[int, str], places: Sequence[int]
) -> int | None:
    """Where this row stood when it was sealed, if it stood elsewhere."""
    for place in places[:MOVES_LOOKED_FOR]:
        if place in sealed and row_digest(row, place) == sealed[place]:
            return place
    return None


def _as_sealed_at_once(block: LogBlock, rows: Sequence[LogRow]) -> bool:
    """Whether a block of before there were digests is as it was."""
    digest = hashlib.sha256(bytes.fromhex(block.previous_hash))
    for row in rows:
        digest.update(canonical(row))
    return len(rows) == block.row_count and digest.hexdigest() == block.hash


def _about(block: LogBlock, what: str) -> Finding:
    span = f"rows {block.first_sequence} to {block.last_sequence}"
    return Finding(f"block {block.number} of the log ({span})", what)
