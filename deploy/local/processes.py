"""Real child processes: started, watched, and ended without remainder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from quasar_core.errors import QuasarError

LEASH = Path(__file__).with_name("leash.py")
POLL_SECONDS = 0.05
GRACE_SECONDS = 10.0
TAIL_LINES = 20


class ProcessFault(QuasarError):
    """A process did not start, or ended when it should have run on."""


def always() -> bool:
    """The ready check of a program that is ready once it runs."""
    return True


@dataclass(frozen=True)
class Program:
    """What to start, and how to tell that it is ready.

    `environment` is all that the process gets: nothing is inherited. It
    runs in `directory`, or in the log directory where none is given, so
    that no stray `.env` of the caller's is read.
    `ready` is asked until it is true, or `ready_seconds` have passed.
    """

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], bool] = always
    ready_seconds: float = 60.0
    directory: Path | None = None


@dataclass(frozen=True)
class Ended:
    """How a process ended: its exit code, and whether it had to be killed.

    A negative `exit_code` is the signal that ended it.
    """

    name: str
    exit_code: int
    killed: bool

    @property
    def clean(self) -> bool:
        """Whether it ended by itself and content."""
        return self.exit_code == 0 and not self.killed


class Processes:
    """The children of this process, in the order of their start.

    Each runs in a group of its own, so that Ctrl-C in a terminal reaches
    this process alone, and on a leash, so that not even SIGKILL of this
    process leaves one behind. Start them from a thread that lives as long
    as they shall: the leash is tied to it.
    """

    def __init__(self, log_directory: Path) -> None:
        self._log_directory = log_directory
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._programs: dict[str, Program] = {}
        log_directory.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def names(self) -> tuple[str, ...]:
        """Who was started and has not been stopped."""
        return tuple(self._running)

    def log_path(self, name: str) -> Path:
        """Where that process's standard output and error go."""
        return self._log_directory / f"{name}.log"

    def program(self, name: str) -> Program:
        """What was started under that name."""
        return self._programs[name]

    def pid(self, name: str) -> int:
        """The process id, for whoever wants to signal it."""
        return self._running[name].pid

    def start(self, program: Program, *, wait: bool = True) -> None:
        """Start it, and wait until it is ready unless told not to.

        Raises ProcessFault, with the tail of its log, where it ends or is
        not ready in time.
        """
        if program.name in self._running:
            raise ProcessFault(f"{program.name} is running already")
        with self.log_path(program.name).open("ab") as log:
            self._running[program.name] = subprocess.Popen(  # noqa: S603
                self._leashed(program.argv),
                env=dict(program.environment),
                cwd=program.directory or self._log_directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._programs[program.name] = program
        if wait:
            self.wait_ready(program.name)

    def wait_ready(self, name: str) -> None:
        """Wait until that process is ready; raises ProcessFault."""
        program = self._programs[name]
        deadline = time.monotonic() + program.ready_seconds
        while True:
            self.check(name)
            if program.ready():
                return
            if time.monotonic() > deadline:
                raise ProcessFault(
                    f"{name} was not ready within"
                    f" {program.ready_seconds:g} s{self._tail(name)}"
                )
            time.sleep(POLL_SECONDS)

    def check(self, *names: str) -> None:
        """Raise ProcessFault if one of these (or of all) has ended."""
        for name in names or self.names:
            code = _exit_code(self._running[name])
            if code is not None:
                raise ProcessFault(
                    f"{name} ended with exit code {code}{self._tail(name)}"
                )

    def has_ended(self, name: str) -> bool:
        """Whether that process has ended by itself, or was killed."""
        return _exit_code(self._running[name]) is not None

    def restart(self, name: str) -> None:
        """Start it once more, ending it first where it still runs."""
        if name in self._running:
            self.end(name)
        self.start(self._programs[name])

    def end(self, name: str, grace_seconds: float = GRACE_SECONDS) -> Ended:
        """SIGTERM it, wait, SIGKILL what is left of its group.

        With no grace it is killed at once, as a fault would.
        """
        process = self._running.pop(name)
        if grace_seconds > 0 and _exit_code(process) is None:
            os.kill(process.pid, signal.SIGTERM)
            deadline = time.monotonic() + grace_seconds
            while _exit_code(process) is None and time.monotonic() < deadline:
                time.sleep(POLL_SECONDS)
        killed = _exit_code(process) is None
        # The leader is not reaped yet, so its group's number is still its
        # own and no stranger's.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        return Ended(name, process.wait(), killed)

    def stop(self, grace_seconds: float = GRACE_SECONDS) -> tuple[Ended, ...]:
        """End everything, the last started first."""
        return tuple(
            self.end(name, grace_seconds) for name in reversed(self.names)
        )

    def _leashed(self, argv: tuple[str, ...]) -> list[str]:
        leash = [sys.executable, "-I", "-S", str(LEASH), str(os.getpid())]
        return [*leash, *argv]

    def _tail(self, name: str) -> str:
        path = self.log_path(name)
        text = path.read_text(encoding="utf-8", errors="replace")
        lines = "\n".join(text.splitlines()[-TAIL_LINES:])
        return f"; the end of {path}:\n{lines}" if lines else ""


def _exit_code(process: subprocess.Popen[bytes]) -> int | None:
    """The exit code of one that has ended, without reaping it."""
    flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
    ended = os.waitid(os.P_PID, process.pid, flags)
    if ended is None:
        return None
    by_itself = ended.si_code == os.CLD_EXITED
    return ended.si_status if by_itself else -ended.si_status
