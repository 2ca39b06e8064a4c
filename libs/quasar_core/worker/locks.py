"""Locks: one job at a time on a machine, one process per worker's name."""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from quasar_core.errors import QuasarError

FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


class LockTaken(QuasarError):
    """Another process holds the lock; the text says what to do."""


def default_lock_directory() -> Path:
    """One folder for all workers of a machine that run as the same user."""
    if os.geteuid() == 0 and os.access("/run", os.W_OK):
        return Path("/run/quasar")
    return Path(tempfile.gettempdir()) / f"quasar-{os.geteuid()}"


class FileLock:
    """An advisory lock that ends with the process, however that ends."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def held(self) -> Iterator[None]:
        """Wait for the lock, as long as it takes, and hold it."""
        descriptor = self._open()
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    @contextmanager
    def held_at_once(self, why: str) -> Iterator[None]:
        """Hold the lock; raises LockTaken(why) where it is not free."""
        descriptor = self._open()
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as fault:
                raise LockTaken(why) from fault
            yield
        finally:
            os.close(descriptor)

    def _open(self) -> int:
        directory = self._path.parent
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = directory.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise LockTaken(
                f"{directory} belongs to somebody else: name another folder"
                " for locks"
            )
        return os.open(self._path, FLAGS, 0o600)


def machine_lock(directory: Path, device: str = "cpu") -> FileLock:
    """The lock that whoever judges on this device of the machine holds."""
    return FileLock(directory / f"judge-{device}.lock")
