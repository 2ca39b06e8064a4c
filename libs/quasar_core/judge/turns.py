"""Turns: one job at a time on a machine, by a lock that dies with its job."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from quasar_core.errors import TransientError
from quasar_core.execution.leases import default_directory
from quasar_core.judge.settings import JudgeSettings

RETRY_SECONDS = 0.05


def lock_path(settings: JudgeSettings, name: str | None = None) -> Path:
    """The lock file that all referees of this user's machine share.

    On a device all that share it: `name` is its uuid.
    """
    if settings.lock_path is not None:
        return settings.lock_path
    return default_directory() / f"referee-{name or settings.profile}.lock"


@contextmanager
def own_turn(
    settings: JudgeSettings, name: str | None = None
) -> Iterator[None]:
    """Wait for the machine, and keep it until the block ends.

    Raises TransientError where the turn does not come in time.
    """
    path = lock_path(settings, name)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(path, flags, 0o600)
    try:
        _wait(descriptor, time.monotonic() + settings.lock_seconds, path)
        yield
    finally:
        os.close(descriptor)


def _wait(descriptor: int, deadline: float, path: Path) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise TransientError(
                    f"another job has held {path} for too long"
                ) from None
            time.sleep(RETRY_SECONDS)
        else:
            return
