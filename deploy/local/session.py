"""A session at a terminal: its folder, its signals, its last words."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from quasar_core.errors import QuasarError
from rich.console import Console

RUN_FOLDER = Path(".run")
FAILED = 1
INTERRUPTED = 130


class FolderTaken(QuasarError):
    """Another stack runs in this folder."""


class Interrupted(BaseException):
    """Somebody asked this process to end: by Ctrl-C, or by SIGTERM."""


@contextmanager
def interruptible() -> Iterator[None]:
    """Inside, SIGINT and SIGTERM raise Interrupted, once.

    A second signal is ignored: what was started is being stopped already.
    """

    def interrupt(number: int, frame: FrameType | None) -> None:
        del number, frame
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_IGN)
        raise Interrupted

    before = {
        each: signal.signal(each, interrupt)
        for each in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextmanager
def passing_folder(name: str, keep: Path | None) -> Iterator[Path]:
    """A folder for one run: `keep`, or one that goes when all went well."""
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    RUN_FOLDER.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=RUN_FOLDER))
    yield folder
    shutil.rmtree(folder)


@contextmanager
def own_folder(folder: Path) -> Iterator[Path]:
    """A folder that lasts, for one stack at a time; raises FolderTaken."""
    folder.mkdir(parents=True, exist_ok=True)
    # beside the folder, so that emptying it does not lose the lock
    lock = folder.resolve().with_name(f"{folder.resolve().name}.lock")
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield folder
    except BlockingIOError as fault:
        raise FolderTaken(
            f"another stack runs in {folder}: stop it, or give this one a"
            " folder of its own with --directory"
        ) from fault
    finally:
        os.close(descriptor)


@contextmanager
def last_words() -> Iterator[None]:
    """Turn what ends a command into a sentence and an exit code."""
    try:
        yield
    except Interrupted:
        sys.exit(INTERRUPTED)
    except QuasarError as fault:
        Console(stderr=True).print(f"quasar: {fault}", markup=False)
        sys.exit(FAILED)
