"""The leash: a referee that nobody waits for ends, and all of it with it."""

from __future__ import annotations

import os
import select
import shutil
import threading
from pathlib import Path

from quasar_core.execution.sandbox import Isolation, Job, Running, Sandbox

ABANDONED = 75
"""EX_TEMPFAIL: nobody waits for this job any more."""


class LeashedSandbox:
    """A sandbox that remembers what it has started.

    A frozen sandbox does not die with its referee: it has to be ended.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._started: list[Running] = []
        self.name = sandbox.name

    def preflight(self) -> Isolation:
        """See `Sandbox.preflight`."""
        return self._sandbox.preflight()

    def start(self, job: Job) -> Running:
        """See `Sandbox.start`."""
        running = self._sandbox.start(job)
        self._started.append(running)
        return running

    def sweep(self) -> int:
        """See `Sandbox.sweep`."""
        return self._sandbox.sweep()

    def end(self) -> None:
        """End whatever was started and still lives."""
        for running in self._started:
            running.kill()


def watch_parent(
    descriptor: int, seconds: float, sandbox: LeashedSandbox, scratch: Path
) -> threading.Thread:
    """End this process when the parent's pipe closes, or after `seconds`.

    Its sandboxes end first, and `scratch` goes.
    """
    thread = threading.Thread(
        target=_watch,
        args=(descriptor, seconds, sandbox, scratch),
        name="leash",
        daemon=True,
    )
    thread.start()
    return thread


def _watch(
    descriptor: int, seconds: float, sandbox: LeashedSandbox, scratch: Path
) -> None:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN | select.POLLHUP)
    poll.poll(seconds * 1_000)
    try:
        sandbox.end()
        shutil.rmtree(scratch, ignore_errors=True)
    finally:
        os._exit(ABANDONED)
