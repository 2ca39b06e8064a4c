"""One live sandbox of any back end: its thread, and the handle on it."""

from __future__ import annotations

import abc
import os
import threading
import time
import weakref
from concurrent.futures import Future
from concurrent.futures import TimeoutError as StillRunning
from typing import Protocol, Self

from quasar_core.execution.sandbox import Outcome, SandboxUnavailable

KILL_SECONDS = 30.0


class Freezable(Protocol):
    """What can be made to stand still."""

    def freeze(self) -> None:
        """Stop every process inside, until `thaw`."""
        ...

    def thaw(self) -> None:
        """Let them go on."""
        ...


class Supervision(abc.ABC):
    """The thread of one sandbox, and what it knows.

    The thread that spawns a sandbox watches it and lives exactly as long.
    """

    def __init__(self) -> None:
        self.outcome: Future[Outcome] = Future()
        self.started = time.monotonic()
        self.wake = os.eventfd(0, os.EFD_CLOEXEC)
        self._spawned: Future[None] = Future()
        self._lock = threading.Lock()
        self._over = False

    @abc.abstractmethod
    def spawn(self) -> None:
        """Start the sandbox; raises OSError or SandboxUnavailable."""

    @abc.abstractmethod
    def watch(self) -> Outcome:
        """Watch it to its end, and end it; raises TimeoutError."""

    @abc.abstractmethod
    def holder(self) -> Freezable | None:
        """What to freeze, as far as it is known by now."""

    @abc.abstractmethod
    def let_go(self) -> None:
        """Give up all that was held; nothing of the sandbox is left."""

    def begin(self) -> None:
        """Start the thread; returns when the sandbox has been spawned."""
        threading.Thread(target=self._run, name="sandbox", daemon=True).start()
        self._spawned.result()

    def end(self) -> Outcome:
        """Ask the thread to end the sandbox; returns when it has."""
        with self._lock:
            if not self._over:
                os.eventfd_write(self.wake, 1)
        try:
            return self.outcome.result(KILL_SECONDS)
        except StillRunning:
            raise SandboxUnavailable("a sandbox does not end") from None

    def forget(self) -> None:
        """End what nobody holds any more."""
        if not self.outcome.done():
            self.end()

    def freeze(self) -> None:
        """Stop everything inside, unless it is over."""
        with self._lock:
            holder = None if self._over else self.holder()
            if holder is not None:
                holder.freeze()

    def thaw(self) -> None:
        """Undo `freeze`."""
        with self._lock:
            holder = None if self._over else self.holder()
            if holder is not None:
                holder.thaw()

    def close(self) -> None:
        """Take no more orders: from here on the sandbox is being ended."""
        with self._lock:
            self._over = True

    def clean_up(self) -> None:
        """Close what woke the thread, and let go."""
        with self._lock:
            self._over = True
            os.close(self.wake)
        self.let_go()

    def _run(self) -> None:
        try:
            self.spawn()
        except (OSError, SandboxUnavailable) as error:
            self.clean_up()
            problem = SandboxUnavailable(f"no process can start: {error}")
            self._spawned.set_exception(problem)
            return
        self._spawned.set_result(None)
        try:
            self.outcome.set_result(self.watch())
        except TimeoutError as error:
            self.outcome.set_exception(SandboxUnavailable(str(error)))
        finally:
            if not self.outcome.done():
                problem = SandboxUnavailable("a sandbox's supervisor failed")
                self.outcome.set_exception(problem)


class SupervisedRun:
    """See `Running`. Dropped or forgotten, it ends its sandbox."""

    def __init__(self, supervision: Supervision) -> None:
        self._supervision = supervision
        supervision.begin()
        self._finalizer = weakref.finalize(self, supervision.forget)

    @property
    def alive(self) -> bool:
        """Whether the payload's first process still runs."""
        return not self._supervision.outcome.done()

    def freeze(self) -> None:
        """Stop every process inside, until `thaw`."""
        self._supervision.freeze()

    def thaw(self) -> None:
        """Let a frozen sandbox go on."""
        self._supervision.thaw()

    def wait(self, timeout_seconds: float | None = None) -> Outcome | None:
        """The outcome once the payload ended, or None at the timeout."""
        try:
            return self._supervision.outcome.result(timeout_seconds)
        except StillRunning:
            return None

    def kill(self) -> Outcome:
        """End everything inside and wait until nothing is left."""
        return self._supervision.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
