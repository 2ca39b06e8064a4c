"""A sandbox's process namespace, seen from the host."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
STOPPED = "tTZX"
STOP_SECONDS = 5.0
POLL_SECONDS = 0.002


@dataclass(frozen=True)
class Namespace:
    """All processes below one init: they end when it does.

    `started` is the init's start time in clock ticks since boot: with the
    pid it names one process for good.
    """

    init_pid: int
    started: int

    @classmethod
    def of(cls, init_pid: int) -> Namespace | None:
        """The namespace whose init has this pid, if it lives."""
        stat = _stat(init_pid)
        return None if stat is None else cls(init_pid, int(stat[19]))

    @property
    def alive(self) -> bool:
        """Whether that very init still runs."""
        stat = _stat(self.init_pid)
        return (
            stat is not None
            and int(stat[19]) == self.started
            and stat[0] not in "ZX"
        )

    def kill(self) -> None:
        """End every process inside; the kernel does it in one go.

        Raises TimeoutError where the init does not end.
        """
        if not self.alive:
            return
        with contextlib.suppress(ProcessLookupError):
            descriptor = os.pidfd_open(self.init_pid)
            try:
                if self.alive:
                    signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            finally:
                os.close(descriptor)
        deadline = time.monotonic() + STOP_SECONDS
        while self.alive:
            if time.monotonic() > deadline:
                raise TimeoutError("a sandbox's init does not end")
            time.sleep(POLL_SECONDS)

    def freeze(self) -> None:
        """Stop every process, until `thaw`.

        Raises TimeoutError where new ones appear faster than they stop.
        """
        deadline = time.monotonic() + STOP_SECONDS
        while running := [pid for pid in self._members() if _runs(pid)]:
            if time.monotonic() > deadline:
                raise TimeoutError("a sandbox's processes do not stop")
            _signal(running, signal.SIGSTOP)
            time.sleep(POLL_SECONDS)

    def thaw(self) -> None:
        """Let stopped processes go on."""
        _signal(list(self._members()), signal.SIGCONT)

    def _members(self) -> Iterator[int]:
        inside = _namespace_of(self.init_pid)
        if inside is None or not self.alive:
            return
        for entry in PROC.iterdir():
            if entry.name.isdigit() and _namespace_of(entry.name) == inside:
                yield int(entry.name)


def end_named(word: str) -> None:
    """End every process that has `word` among its arguments.

    Raises TimeoutError where one of them does not end.
    """
    while named := tuple(_named(word)):
        for each in named:
            each.kill()


def is_zombie(pid: int) -> bool:
    """Whether a process is gone but for its exit status."""
    stat = _stat(pid)
    return stat is None or stat[0] in "ZX"


def _runs(pid: int) -> bool:
    stat = _stat(pid)
    return stat is not None and stat[0] not in STOPPED


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat from `state` on."""
    try:
        line = (PROC / str(pid) / "stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return line.rpartition(")")[2].split()


def _named(word: str) -> Iterator[Namespace]:
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            found = Namespace.of(int(entry.name))
            if found is not None and word in _arguments(entry):
                yield found


def _arguments(process: Path) -> list[str]:
    """What it was started with; nothing of one that has ended."""
    try:
        words = (process / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return words.decode(errors="replace").split("\0")


def _namespace_of(pid: int | str) -> str | None:
    with contextlib.suppress(OSError):
        return str((PROC / str(pid) / "ns" / "pid").readlink())
    return None


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
