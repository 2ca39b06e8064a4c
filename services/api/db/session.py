"""Transactions: one way to read and one way to write, on both engines."""

from __future__ import annotations

import hashlib
import json
import select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from quasar_core.errors import QuasarError, TransientError
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    ArgumentError,
    DisconnectionError,
    InterfaceError,
    OperationalError,
)
from sqlalchemy.exc import (
    TimeoutError as PoolTimeoutError,
)
from sqlalchemy.orm import Session

BUSY_SECONDS = 10
CONNECT_SECONDS = 5
STATEMENT_SECONDS = 30
POOL_SIZE = 20
REST_SECONDS = 1.0
"""After so long unused, a connection is asked whether it still is one."""

RESTED_SINCE = "rested_since"
LOG_LOCK = 0x51_7561_7361
"""The PostgreSQL advisory lock that writers share and sealing has alone."""


_ALONE = text("SELECT pg_advisory_xact_lock(:log)")
_SHARED = text("SELECT pg_advisory_xact_lock_shared(:log)")
_OWN = text(
    "SELECT pg_advisory_xact_lock_shared(:log), pg_advisory_xact_lock(:owner)"
)


class DatabaseUnavailable(TransientError):
    """The database does not answer just now."""


class BadDatabaseUrl(QuasarError):
    """The database's address is not one that this service can use."""


def encode(value: Any) -> str:
    """JSON as it is stored: compact, and never NaN or infinity."""
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


class Database:
    """The engine behind `database_url`, and its transactions.

    SQLite runs with a write-ahead log, foreign keys and full durability,
    and a writer takes the write lock when it begins, so that it never fails
    half-way because of another. On PostgreSQL each writer shares a lock
    that whoever seals the event log takes alone: what a block covers is
    then complete.
    """

    def __init__(self, url: str) -> None:
        """Make the engine; nothing is connected yet.

        Raises BadDatabaseUrl for anything but SQLite and PostgreSQL.
        """
        self.engine = _engine(url)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._writer = self.engine.execution_options(quasar_write=True)
        # a reader sees one moment, as SQLite's readers do by themselves
        self._reader = (
            self.engine
            if self.is_sqlite
            else self.engine.execution_options(
                isolation_level="REPEATABLE READ"
            )
        )

    @property
    def file(self) -> Path | None:
        """SQLite's file; PostgreSQL's disk is its own host's to watch."""
        name = self.engine.url.database
        return Path(name) if self.is_sqlite and name else None

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that changes nothing; rolled back at its end."""
        with _unavailable_as_such(), Session(self._reader) as session:
            yield session

    @contextmanager
    def write(
        self, *, sealing: bool = False, owner: str = ""
    ) -> Iterator[Session]:
        """A transaction that is committed at the end of the block.

        `sealing`: nobody else writes meanwhile. `owner`: writes of one
        coldkey or hotkey follow one another. The lock on the log comes
        before every other one, so that no two writers wait for each other.
        SQLite's writers wait for each other anyway.
        """
        with (
            _unavailable_as_such(),
            Session(self._writer, expire_on_commit=False) as session,
            session.begin(),
        ):
            if not self.is_sqlite:
                _lock(session, sealing, owner)
            yield session

    def ping(self) -> None:
        """Ask the database for one; DatabaseUnavailable if it is away."""
        with self.read() as session:
            session.execute(text("SELECT 1"))

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def _lock(session: Session, sealing: bool, owner: str) -> None:
    """Take a PostgreSQL writer's locks, in one question."""
    digest = hashlib.sha256(owner.encode()).digest()
    number = int.from_bytes(digest[:8], "big", signed=True)
    shared, asked = _SHARED, {"log": LOG_LOCK}
    if owner:
        shared, asked = _OWN, {"log": LOG_LOCK, "owner": number}
    session.connection().execute(_ALONE if sealing else shared, asked)


@contextmanager
def _unavailable_as_such() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeoutError) as fault:
        raise DatabaseUnavailable("the database does not answer") from fault


def _engine(url: str) -> Engine:
    try:
        address = make_url(url)
    except ArgumentError as fault:
        raise BadDatabaseUrl(
            "the database's address cannot be read; it looks like"
            " sqlite:///FILE or postgresql://USER@HOST/NAME"
        ) from fault
    backend = address.get_backend_name()
    if backend == "sqlite":
        if not address.database or address.database == ":memory:":
            raise BadDatabaseUrl(
                "three processes share the database: name a file, as in"
                " sqlite:///quasar.db"
            )
        engine = create_engine(
            address,
            json_serializer=encode,
            connect_args={"timeout": BUSY_SECONDS},
            pool_size=POOL_SIZE,
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if backend == "postgresql":
        engine = create_engine(
            address.set(drivername="postgresql+psycopg"),
            json_serializer=encode,
            pool_size=POOL_SIZE,
            max_overflow=POOL_SIZE,
            pool_timeout=CONNECT_SECONDS,
            connect_args={
                "connect_timeout": CONNECT_SECONDS,
                "options": f"-c statement_timeout={STATEMENT_SECONDS}s"
                " -c timezone=UTC",
            },
        )
        event.listen(engine, "checkin", _note_rest)
        event.listen(engine, "checkout", _ping_rested)
        return engine
    raise BadDatabaseUrl(
        f"{backend} is not SQLite or PostgreSQL: name a sqlite:/// or"
        " postgresql:// address"
    )


def _note_rest(_connection: Any, record: Any) -> None:
    record.info[RESTED_SINCE] = time.monotonic()


def _ping_rested(connection: Any, record: Any, _proxy: Any) -> None:
    """Let a connection be replaced that was cut while nobody used it.

    A server that hangs up says so, and so does the system under it: then
    something waits to be read that nobody asked for. To look costs no
    question; a link that is dead without a word is found by its rest.
    """
    since = record.info.get(RESTED_SINCE)
    if since is None:
        return
    rested = time.monotonic() - since >= REST_SECONDS
    if not rested and not _something_waits(connection.fileno()):
        return
    try:
        connection.execute("SELECT 1")
        connection.rollback()
    except psycopg.OperationalError as fault:
        raise DisconnectionError from fault


def _something_waits(descriptor: int) -> bool:
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    return bool(waiting.poll(0))


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # transactions are begun by `_begin_sqlite`, not by the driver
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    writes = connection.get_execution_options().get("quasar_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
