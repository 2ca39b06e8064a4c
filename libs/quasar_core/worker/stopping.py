"""Stopping: how SIGTERM gets at a job that waits for its referee."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class StopRequested(BaseException):
    """The process was asked to stop while a job ran.

    Not an Exception, as KeyboardInterrupt is none: only who gives up the
    job may answer it.
    """


class Stopper:
    """Interrupts the main thread where it may be interrupted, once.

    `interrupt` is called by a signal handler, so in the main thread, at any
    point of its program. Inside `interruptible` it raises StopRequested on
    the spot, save inside `shielded`, where it waits for the shield's end.
    """

    def __init__(self) -> None:
        self._requested = False
        self._told = False
        self._open = False

    def interrupt(self) -> None:
        """Note the request, and raise where that is allowed just now."""
        self._requested = True
        if self._open:
            self._tell()

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Where the job may be given up: nothing half done must matter."""
        self._told = False
        self._open = True
        try:
            if self._requested:
                self._tell()
            yield
        finally:
            self._open = False

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """A moment inside that must not be cut in two, and is short."""
        was_open, self._open = self._open, False
        try:
            yield
        finally:
            self._open = was_open and not self._told
        if self._open and self._requested:
            self._tell()

    def _tell(self) -> None:
        self._open = False
        if not self._told:
            self._told = True
            raise StopRequested
