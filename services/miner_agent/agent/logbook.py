"""The logbook: what the agent did, in SQLite; it goes on from there.

What stands in it is written down before what follows from it is done, in
one transaction each, so that a kill at any point leaves it true.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from quasar_core.errors import QuasarError
from sqlalchemy import Engine, create_engine, event, func, select
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from services.miner_agent.agent.tables import (
    BEST,
    IN_FLIGHT,
    Base,
    Call,
    Judging,
    Shift,
    State,
    Try,
    now,
)

FILE = "journal.sqlite"


class LogbookFault(QuasarError):
    """The logbook cannot be used; the text says which and what to do."""


class Logbook:
    """The tries of one fork; one agent writes, anybody may read."""

    def __init__(self, folder: Path | None) -> None:
        """Open or make it in this folder; None keeps it in memory alone."""
        self._where = folder / FILE if folder else None
        if folder is not None:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
        self._engine = _engine(self._where)
        with self._readable():
            Base.metadata.create_all(self._engine)

    def close(self) -> None:
        """Give the file back."""
        self._engine.dispose()

    # --- shifts -------------------------------------------------------------

    def begin(self) -> tuple[Shift, bool]:
        """The shift to work in, and whether it is one that was cut short."""
        with self._write() as session:
            cut = session.scalars(
                select(Shift)
                .where(Shift.ended_at.is_(None))
                .order_by(Shift.id.desc())
            ).first()
            shift = cut or Shift()
            session.add(shift)
        return shift, cut is not None

    def worked(self, shift: Shift, seconds: float) -> None:
        """Add time that was worked in the shift."""
        with self._write() as session:
            found = session.get_one(Shift, shift.id)
            found.worked_seconds += seconds
            shift.worked_seconds = found.worked_seconds

    def end(self, shift: Shift, why: str) -> None:
        """The shift came to its end."""
        with self._write() as session:
            found = session.get_one(Shift, shift.id)
            found.ended_at, found.ended_because = now(), why

    def shifts(self) -> Sequence[Shift]:
        """All shifts, the first first."""
        with self._read() as session:
            return session.scalars(select(Shift).order_by(Shift.id)).all()

    # --- tries --------------------------------------------------------------

    def add(self, shift: Shift, **fields: Any) -> Try:
        """A new try; it stands in the book from here on."""
        with self._write() as session:
            one = Try(shift_id=shift.id, **fields)
            session.add(one)
        return one

    def put(self, one: Try, **fields: Any) -> Try:
        """Change a try; the try as it stands now."""
        with self._write() as session:
            found = session.get_one(Try, one.id)
            for name, value in fields.items():
                setattr(found, name, value)
        return found

    def tries(self, sequence_length: int | None = None) -> Sequence[Try]:
        """The tries at a length, or all; in order."""
        query = select(Try).order_by(Try.id)
        if sequence_length is not None:
            query = query.where(Try.sequence_length == sequence_length)
        with self._read() as session:
            return session.scalars(query).all()

    def best(self, sequence_length: int) -> Try | None:
        """The newest try that was kept and that nobody found wrong."""
        return self._newest(
            Try.sequence_length == sequence_length,
            Try.state.in_(BEST),
            Try.code.is_(None),
        )

    def proposed(self, sequence_length: int) -> Try | None:
        """The try that was cut short before its end, if there is one."""
        return self._newest(
            Try.sequence_length == sequence_length,
            Try.state == State.PROPOSED,
        )

    def to_commit(self) -> Try | None:
        """The try that is kept and not in git yet, if there is one."""
        return self._newest(Try.state == State.KEPT)

    def in_flight(self) -> Try | None:
        """The try that was handed in and not decided yet: one at most."""
        return self._newest(Try.state.in_(IN_FLIGHT))

    def waiting(self, sequence_length: int) -> Sequence[Try]:
        """The tries that are in git and not handed in, the newest first."""
        with self._read() as session:
            return session.scalars(
                select(Try)
                .where(
                    Try.sequence_length == sequence_length,
                    Try.state == State.COMMITTED,
                    Try.is_start.is_(False),
                )
                .order_by(Try.id.desc())
            ).all()

    def files(self, one: Try) -> dict[str, str]:
        """All files of a try's kernel: its parents' with its own on top."""
        with self._read() as session:
            line = [one]
            while line[-1].parent_id is not None:
                line.append(session.get_one(Try, line[-1].parent_id))
        whole: dict[str, str] = {}
        for each in reversed(line):
            whole |= each.files
        return whole

    def count(self, shift: Shift) -> int:
        """How many of a shift's proposals came to an end."""
        with self._read() as session:
            return session.scalars(
                select(func.count(Try.id)).where(
                    Try.shift_id == shift.id,
                    Try.is_start.is_(False),
                    Try.state != State.PROPOSED,
                )
            ).one()

    # --- judgings -----------------------------------------------------------

    def begin_judging(self, one: Try) -> Judging:
        """A judging of a try is about to begin."""
        with self._write() as session:
            judging = Judging(try_id=one.id)
            session.add(judging)
        return judging

    def failed(self, judging: Judging, fault: str) -> None:
        """A judging came to no verdict."""
        with self._write() as session:
            session.get_one(Judging, judging.id).fault = fault

    def forget(self, judging: Judging) -> None:
        """A judging was ended by whoever had it begun: it does not count."""
        with self._write() as session:
            session.delete(session.get_one(Judging, judging.id))

    def judgings(self, one: Try) -> Sequence[Judging]:
        """The judgings of a try that were begun, the first first."""
        query = select(Judging).where(Judging.try_id == one.id)
        with self._read() as session:
            return session.scalars(query.order_by(Judging.id)).all()

    # --- money --------------------------------------------------------------

    def reserve(self, shift: Shift, most: float) -> int:
        """A call is about to be made that costs this at most; its number."""
        with self._write() as session:
            call = Call(shift_id=shift.id, reserved=most)
            session.add(call)
        return call.id

    def settle(self, call_id: int, cost: float) -> None:
        """What a call did cost."""
        with self._write() as session:
            session.get_one(Call, call_id).cost = cost

    def spent(self, shift: Shift | None = None) -> float:
        """What a shift's calls, or all, did cost; at most, where unknown."""
        cost = func.coalesce(Call.cost, Call.reserved)
        query = select(func.coalesce(func.sum(cost), 0.0))
        if shift is not None:
            query = query.where(Call.shift_id == shift.id)
        with self._read() as session:
            return session.scalars(query).one()

    # --- how ----------------------------------------------------------------

    def _newest(self, *conditions: Any) -> Try | None:
        query = select(Try).where(*conditions).order_by(Try.id.desc())
        with self._read() as session:
            return session.scalars(query.limit(1)).first()

    @contextmanager
    def _read(self) -> Iterator[Session]:
        with (
            self._readable(),
            Session(self._engine, expire_on_commit=False) as session,
        ):
            yield session

    @contextmanager
    def _write(self) -> Iterator[Session]:
        with self._read() as session, session.begin():
            yield session

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except DatabaseError as fault:
            raise LogbookFault(
                f"{self._where or 'the logbook'} cannot be used"
                f" ({fault.orig}): put back a copy of it, or move it away"
            ) from fault


def _engine(path: Path | None) -> Engine:
    if path is None:
        return create_engine("sqlite://", poolclass=StaticPool)
    engine = create_engine(f"sqlite:///{path}")
    event.listen(engine, "connect", _prepare)
    return engine


def _prepare(connection: Any, _: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA busy_timeout=10000")
    cursor.close()
