"""Comparing: the tables beside the books that the log amounts to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, load_only

from services.api.challenges import repository as challenges
from services.api.db.models import Challenge, Round, Standing, Submission
from services.api.db.records import LogBlock, WeightsReportRow
from services.api.db.tampering import Finding
from services.api.rebuild.books import RUN_ID, Books, Facts, Frozen

REPORTED = ("outcome", "reason", "block", "weights", "hotkeys", "netuid")
BATCH = 1_000


def differences(session: Session, books: Books) -> Iterator[Finding]:
    """Every row of a table that is not what the log says, by name."""
    yield from _submissions(session, books)
    yield from _rounds(session, books)
    yield from _challenges(session, books)
    yield from _standings(session, books)
    yield from _reports(session, books)


def _differing(
    where: str, there: Mapping[str, Any], told: Mapping[str, Any]
) -> Iterator[Finding]:
    for name, value in told.items():
        if there[name] != value:
            yield Finding(
                where, f"{name} is {there[name]!r}, and the log says {value!r}"
            )


def _submissions(session: Session, books: Books) -> Iterator[Finding]:
    unseen = set(books.submissions)
    # pylint: disable=not-an-iterable
    columns = (
        getattr(Submission, name)
        for name in ("id", "manifest", *_told_of_submissions(books))
    )
    query = (
        select(Submission)
        .options(load_only(*columns))
        .order_by(Submission.id)
        .execution_options(yield_per=BATCH)
    )
    for row in session.scalars(query):
        where = f"submission {row.id}"
        facts = books.submissions.get(row.id)
        if facts is None:
            yield Finding(where, "is in no row of the log")
            continue
        unseen.discard(row.id)
        yield from _differing(where, _there(row, facts), facts)
        session.expunge(row)
    for submission_id in sorted(unseen):
        yield Finding(
            f"submission {submission_id}", "is gone; the log entered it"
        )


def _told_of_submissions(books: Books) -> list[str]:
    names = {name for facts in books.submissions.values() for name in facts}
    return sorted(names - {RUN_ID})


def _there(row: Submission, facts: Facts) -> Facts:
    there = {name: getattr(row, name) for name in facts if name != RUN_ID}
    there[RUN_ID] = (row.manifest or {}).get(RUN_ID, "")
    return there


def _rounds(session: Session, books: Books) -> Iterator[Finding]:
    rows = {row.number: row for row in session.scalars(select(Round))}
    for number in sorted(rows.keys() | books.rounds.keys()):
        where, row = f"round {number}", rows.get(number)
        facts = books.rounds.get(number)
        if row is None:
            yield Finding(where, "is gone; the log opened it")
        elif facts is None:
            yield Finding(where, "is in no row of the log")
        else:
            there = {name: getattr(row, name) for name in facts}
            yield from _differing(where, there, facts)
            frozen = books.standings.get(number)
            if frozen is not None:
                told = {"log_hash": sealed_in(session, frozen)}
                yield from _differing(where, {"log_hash": row.log_hash}, told)


def _challenges(session: Session, books: Books) -> Iterator[Finding]:
    numbers = session.scalars(select(Challenge.round_number).distinct())
    for number in sorted({*numbers.all(), *books.outcomes}):
        there = challenges.outcomes(session, number)
        told = books.outcomes.get(number, {})
        for pair in sorted(there.keys() | told.keys()):
            where = f"challenge of {pair[0]} to {pair[1]}"
            outcome = {"outcome": there.get(pair)}
            yield from _differing(where, outcome, {"outcome": told.get(pair)})


def sealed_in(session: Session, frozen: Frozen) -> str | None:
    """The hash of the block that covers a round's end."""
    return session.scalar(
        select(LogBlock.hash).where(
            LogBlock.first_sequence <= frozen.told_at,
            LogBlock.last_sequence >= frozen.told_at,
        )
    )


def _standings(session: Session, books: Books) -> Iterator[Finding]:
    rows = {
        (row.round_number, row.place): row
        for row in session.scalars(select(Standing))
    }
    told = {
        (number, row.place): row
        for number, frozen in books.standings.items()
        for row in frozen.rows
    }
    for key in sorted(rows.keys() | told.keys()):
        where = f"standings of round {key[0]}, place {key[1]}"
        row, says = rows.get(key), told.get(key)
        if row is None:
            yield Finding(where, "is gone; the log gives it")
        elif says is None:
            yield Finding(where, "comes from no row of the log")
        else:
            facts = dict(says)
            there = {name: getattr(row, name) for name in facts}
            if row.founded_by is None:
                # frozen before founders were kept
                del facts["founded_by"]
            yield from _differing(where, there, facts)


def _reports(session: Session, books: Books) -> Iterator[Finding]:
    rows = {row.id: row for row in session.scalars(select(WeightsReportRow))}
    for number in sorted(rows.keys() | books.reports.keys()):
        where, row = f"weights report {number}", rows.get(number)
        told = books.reports.get(number)
        if row is None:
            yield Finding(where, "is gone; the log has it")
        elif told is None:
            yield Finding(where, "is in no row of the log")
        else:
            there = {
                "validator_hotkey": row.validator_hotkey,
                "round_number": row.round_number,
                "reported_at": row.reported_at,
                **{name: row.report.get(name) for name in REPORTED},
            }
            yield from _differing(where, there, told)
