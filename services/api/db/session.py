"""Transactions: one way to read and one way to write, on both engines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from quasar_core.errors import QuasarError, TransientError
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    ArgumentError,
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
LOG_LOCK = 0x51_7561_7361
"""The PostgreSQL advisory lock that writers share and sealing has alone."""


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

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that changes nothing; rolled back at its end."""
        with _unavailable_as_such(), Session(self._reader) as session:
            yield session

    @contextmanager
    def write(self, *, sealing: bool = False) -> Iterator[Session]:
        """A transaction that is committed at the end of the block.

        `sealing`: nobody else writes meanwhile. The lock on the log comes
        before every other one, so that no two writers wait for each other.
        """
        with (
            _unavailable_as_such(),
            Session(self._writer, expire_on_commit=False) as session,
            session.begin(),
        ):
            if not self.is_sqlite:
                share = "" if sealing else "_shared"
                session.execute(
                    text(f"SELECT pg_advisory_xact_lock{share}(:key)"),
                    {"key": LOG_LOCK},
                )
            yield session

    def ping(self) -> None:
        """Ask the database for one; DatabaseUnavailable if it is away."""
        with self.read() as session:
            session.execute(text("SELECT 1"))

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


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
        return create_engine(
            address.set(drivername="postgresql+psycopg"),
            json_serializer=encode,
            pool_pre_ping=True,
            pool_size=POOL_SIZE,
            max_overflow=POOL_SIZE,
            pool_timeout=CONNECT_SECONDS,
            connect_args={
                "connect_timeout": CONNECT_SECONDS,
                "options": f"-c statement_timeout={STATEMENT_SECONDS}s"
                " -c timezone=UTC",
            },
        )
    raise BadDatabaseUrl(
        f"{backend} is not SQLite or PostgreSQL: name a sqlite:/// or"
        " postgresql:// address"
    )


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
