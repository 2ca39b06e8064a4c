"""Schedulers that are killed at a chosen point while they turn rounds.

Each is a process of its own, forked from one that has everything loaded:
what it dies of is SIGKILL, and never how long a busy machine takes to
import.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from typing import Any

from sqlalchemy import Engine, event

from services.api.db.session import Database
from services.api.leaderboard.turning import turn_rounds
from services.api.settings import Settings

WRITES = ("INSERT", "UPDATE", "DELETE")
LAST = 0
"""Not after a write, but when all of them are done and none committed."""

PATIENCE_SECONDS = 240.0

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload([__name__])


def kill_at(settings: Settings, height: int, point: int) -> int:
    """Let a scheduler be killed after so many writes; how many it made.

    It was killed, and by nothing else, or an AssertionError is raised.
    """
    ours, its = _PROCESSES.Pipe(duplex=False)
    process = _PROCESSES.Process(
        target=_turn, args=(settings, height, point, its)
    )
    process.start()
    its.close()
    try:
        process.join(PATIENCE_SECONDS)
        assert process.exitcode == -signal.SIGKILL, process.exitcode
        return ours.recv()
    finally:
        process.kill()
        process.join()
        process.close()
        ours.close()


def _turn(
    settings: Settings, height: int, point: int, told: Connection
) -> None:
    """Turn the rounds, and do not survive it."""
    made = 0

    def die() -> None:
        told.send(made)
        os.kill(os.getpid(), signal.SIGKILL)

    def written(
        _connection: Any, _cursor: Any, statement: str, *_: Any
    ) -> None:
        nonlocal made
        made += statement.startswith(WRITES)
        if made == point != LAST:
            die()

    event.listen(Engine, "after_cursor_execute", written)
    event.listen(Engine, "commit", lambda _connection: die())
    database = Database(settings.database_url)
    turn_rounds(database, settings, height, datetime.now(UTC))
