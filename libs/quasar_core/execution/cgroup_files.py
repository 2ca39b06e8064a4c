"""Reading and writing the files of a control group."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from quasar_core.execution.processes import is_zombie

POLL_SECONDS = 0.002
PATIENCE_SECONDS = 10.0


def write(path: Path, value: int | str) -> None:
    """Write a value; raises FileNotFoundError where there is no such file."""
    # Without O_CREAT, so that a missing file says so on any file system.
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        with _gone_is_missing():
            os.write(descriptor, str(value).encode())
    finally:
        os.close(descriptor)


def read(path: Path) -> str:
    """A file's text; raises FileNotFoundError where there is no such file."""
    with _gone_is_missing():
        return path.read_text()


def number(path: Path) -> int | None:
    """The one number in a file, or None without the file."""
    try:
        return int(read(path))
    except FileNotFoundError:
        return None


def counter(path: Path, key: str) -> int:
    """The number that follows `key` in a file of pairs; 0 where none does."""
    try:
        lines = read(path).splitlines()
    except FileNotFoundError:
        return 0
    return next(
        (int(value) for name, value in map(str.split, lines) if name == key),
        0,
    )


def members(path: Path) -> tuple[int, ...]:
    """The processes in a group."""
    try:
        listed = read(path / "cgroup.procs").split()
    except FileNotFoundError:
        return ()
    return tuple(int(each) for each in listed)


def signal_all(path: Path) -> None:
    """SIGKILL to each process in a group."""
    for pid in members(path):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def emptied(path: Path) -> bool:
    """Whether only the dead are left; whoever lives is signalled again."""
    living = [pid for pid in members(path) if not is_zombie(pid)]
    for pid in living:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return not living


def remove(path: Path) -> None:
    """Remove a group without members; raises TimeoutError if it stays busy."""

    def gone() -> bool:
        try:
            path.rmdir()
        except FileNotFoundError:
            return True
        except OSError:  # busy while the kernel lets go of the last member
            return False
        return True

    until(gone, "removal")


def until(claim: Callable[[], bool], deed: str) -> None:
    """Wait for a claim to hold; raises TimeoutError where it never does."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not claim():
        if time.monotonic() > deadline:
            raise TimeoutError(f"a cgroup did not settle after {deed}")
        time.sleep(POLL_SECONDS)


@contextlib.contextmanager
def _gone_is_missing() -> Iterator[None]:
    # A group that somebody removes while one of its files is open answers
    # ENODEV; one removed a moment earlier answers ENOENT. Both are absence.
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENODEV:
            raise
        raise FileNotFoundError(error.errno, error.strerror) from error
