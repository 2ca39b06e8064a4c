"""A sandbox that holds nothing in: plain processes, for our own code."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from typing import Self

from quasar_core.execution.sandbox import Ending, Isolation, Job, Outcome
from quasar_core.judge.image import TREE


@dataclass
class PlainSandbox:
    """Runs jobs as they are; `started` and `ended` count them."""

    name: str = "plain"
    started: list[Job] = field(default_factory=list)
    ended: int = 0
    pids_limit_hit: bool = False
    ending: Ending | None = None

    def preflight(self) -> Isolation:
        return Isolation("plain", {"no_network": True}, degraded=True)

    def start(self, job: Job) -> PlainRunning:
        self.started.append(job)
        return PlainRunning(self, job)

    def sweep(self) -> int:
        return 0


class PlainRunning:
    def __init__(self, sandbox: PlainSandbox, job: Job) -> None:
        self._sandbox = sandbox
        self._begun = time.monotonic()
        self._outcome: Outcome | None = None
        self._logs = [
            tempfile.TemporaryFile()  # noqa: SIM115 -- closed at the end
            for _ in range(2)
        ]
        self._process = subprocess.Popen(
            [_on_host(word, job) for word in _arguments(job)],
            env={**os.environ, **_environment(job)},
            stdin=subprocess.DEVNULL,
            stdout=self._logs[0],
            stderr=self._logs[1],
            pass_fds=job.pass_fds,
        )

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def freeze(self) -> None:
        if self.alive:
            self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        if self.alive:
            self._process.send_signal(signal.SIGCONT)

    def wait(self, timeout_seconds: float | None = None) -> Outcome | None:
        try:
            self._process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            return None
        return self._end(killed=False)

    def kill(self) -> Outcome:
        killed = self.alive
        self._process.kill()
        self._process.wait()
        return self._end(killed=killed)

    def _end(self, *, killed: bool) -> Outcome:
        if self._outcome is None:
            self._sandbox.ended += 1
            code = self._process.returncode
            logs = []
            for log in self._logs:
                log.seek(0)
                logs.append(log.read())
                log.close()
            self._outcome = Outcome(
                ending=self._sandbox.ending or _ending(code, killed=killed),
                exit_code=code if code >= 0 else None,
                signal=-code if code < 0 else None,
                stdout=logs[0],
                stderr=logs[1],
                wall_seconds=time.monotonic() - self._begun,
                peak_memory_bytes=1_000,
                pids_limit_hit=self._sandbox.pids_limit_hit,
            )
        return self._outcome

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


def _ending(code: int, *, killed: bool) -> Ending:
    if killed:
        return Ending.KILLED
    if code < 0:
        return Ending.SIGNAL
    return Ending.OK if code == 0 else Ending.NONZERO


def _arguments(job: Job) -> tuple[str, ...]:
    return (sys.executable, *job.argv[1:])


def _environment(job: Job) -> dict[str, str]:
    hidden = {"PYTHONPATH", "LD_LIBRARY_PATH"}
    kept = {
        name: value
        for name, value in job.environment.items()
        if name not in hidden
    }
    # On this host the real fla is installed: the tree must come before it.
    trees = [str(m.source) for m in job.mounts if m.target == TREE]
    return {**kept, "PYTHONPATH": os.pathsep.join(trees)}


def _on_host(word: str, job: Job) -> str:
    for mount in job.mounts:
        if word == str(mount.target) and mount.source is not None:
            return str(mount.source)
    return word
