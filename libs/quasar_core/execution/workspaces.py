"""Folders for one piece of work, gone after it, and after a crash too."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from quasar_core.execution.private_folders import make_private

PREFIX = "work-"
LOCK = ".owner"
GRACE_SECONDS = 60.0
"""For a folder that is being made: it has no lock yet."""


def default_workspaces() -> Path:
    """Where this user's workspaces lie."""
    return Path(tempfile.gettempdir()) / f"quasar-work-{os.geteuid()}"


@contextlib.contextmanager
def workspace(parent: Path) -> Iterator[Path]:
    """A fresh private folder below `parent`, under a name of ours.

    Raises OSError where `parent` cannot be made, or is not ours alone.
    """
    make_private(parent)
    remove_abandoned(parent)
    directory = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    lock = os.open(directory / LOCK, flags, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        os.close(lock)


def remove_abandoned(parent: Path) -> int:
    """Remove the folders whose owners are gone; how many."""
    found = [each for each in parent.glob(f"{PREFIX}*") if _abandoned(each)]
    for directory in found:
        shutil.rmtree(directory, ignore_errors=True)
    return len(found)


def _abandoned(directory: Path) -> bool:
    try:
        lock = os.open(
            directory / LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
        )
    except FileNotFoundError:
        with contextlib.suppress(FileNotFoundError):
            return time.time() - directory.stat().st_mtime > GRACE_SECONDS
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True
