"""The rebuild's story: read the log, replay it, lay it beside the tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.api.db import eventlog, tampering
from services.api.db.records import LogBlock, LogRow
from services.api.db.session import Database
from services.api.db.tampering import Finding
from services.api.rebuild.comparing import differences, sealed_in
from services.api.rebuild.pages import (
    Pages,
    pages_of_books,
    pages_of_tables,
)
from services.api.rebuild.replay import replay

BATCH = 2_000


@dataclass(frozen=True)
class Rebuilt:
    """What came of the log, and what is not as it says."""

    pages: Pages
    findings: tuple[Finding, ...]
    rows: int
    unsealed: int
    newest_hash: str


def rebuild(
    database: Database, *, check: bool, expected: str | None = None
) -> Rebuilt:
    """Boards, standings and weights from the log alone, at one moment.

    `check`: also whether the log is as it was sealed, and every table as
    the log says. `expected` is a hash that somebody wrote down once: it
    must be one of the log's blocks.
    """
    with database.read() as session:
        books = replay(_rows(session))
        hashes = {
            number: sealed_in(session, frozen) or ""
            for number, frozen in books.standings.items()
        }
        pages = pages_of_books(books, hashes)
        findings: list[Finding] = []
        if check:
            findings += _lost_hash(session, expected)
            findings += tampering.findings(session)
            findings += books.findings
            findings += differences(session, books)
            findings += _other_pages(pages, pages_of_tables(session))
        newest = eventlog.newest_block(session)
        return Rebuilt(
            pages=pages,
            findings=tuple(findings),
            rows=newest.last_sequence if newest else 0,
            unsealed=eventlog.unsealed(session),
            newest_hash=newest.hash if newest else eventlog.GENESIS_HASH,
        )


def write(pages: Pages, folder: Path) -> None:
    """Write each page to a file of its name."""
    for name, content in pages.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _rows(session: Session) -> Iterator[LogRow]:
    query = (
        select(LogRow)
        .order_by(LogRow.sequence)
        .execution_options(yield_per=BATCH)
    )
    for row in session.scalars(query):
        yield row
        session.expunge(row)


def _lost_hash(session: Session, expected: str | None) -> Iterator[Finding]:
    if expected is None:
        return
    known = select(LogBlock.number).where(LogBlock.hash == expected)
    if session.scalar(known) is None:
        yield Finding(
            f"hash {expected}", "is no block's: the log was cut or rewritten"
        )


def _other_pages(told: Pages, shown: Pages) -> Iterator[Finding]:
    for name in sorted(told.keys() | shown.keys()):
        if told.get(name) != shown.get(name):
            yield Finding(name, "is not what the log gives, byte for byte")
