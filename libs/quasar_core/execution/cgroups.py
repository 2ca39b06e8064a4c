"""Control groups: the limits of a whole sandbox, on v1 and v2 alike."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from quasar_core.execution.cgroup_files import (
    counter,
    emptied,
    number,
    read,
    remove,
    signal_all,
    until,
    write,
)
from quasar_core.execution.limits import Limits
from quasar_core.execution.processors import quota

PREFIX = "quasar-"
PERIOD_MICROSECONDS = 100_000
LAUNCHER_PIDS = 2
"""bubblewrap's own two processes live in the group beside the payload."""


class Cgroup(Protocol):
    """The group, or the groups, of one sandbox."""

    @property
    def paths(self) -> tuple[Path, ...]:
        """The folders to write a process id into, to enter the group."""
        ...

    def freeze(self) -> None:
        """Stop every process in the group, until `thaw`."""
        ...

    def thaw(self) -> None:
        """Let a frozen group go on."""
        ...

    def kill(self) -> None:
        """End every process in the group, frozen or not; returns when empty.

        Raises TimeoutError where some process does not end.
        """
        ...

    def destroy(self) -> None:
        """Remove the emptied group.

        Raises TimeoutError where it stays in use.
        """
        ...

    def oom_kills(self) -> int:
        """How many processes the bound on memory has ended."""
        ...

    def pids_refused(self) -> int:
        """How often the bound on processes refused one."""
        ...

    def peak_memory_bytes(self) -> int | None:
        """The most memory that was in use at once, if counted."""
        ...


class CgroupTree(Protocol):
    """A place below which groups can be made."""

    def paths(self, name: str) -> tuple[Path, ...]:
        """Where `create` would make them."""
        ...

    def create(self, name: str, limits: Limits) -> Cgroup:
        """A limited group; raises OSError where the host refuses."""
        ...


@dataclass(frozen=True)
class CgroupV1:
    """One group per controller."""

    memory: Path
    pids: Path
    cpu: Path
    freezer: Path

    @property
    def paths(self) -> tuple[Path, ...]:
        """The folders of the group."""
        return (self.memory, self.pids, self.cpu, self.freezer)

    def limit(self, limits: Limits) -> None:
        """Set the bounds; raises OSError where the host refuses one."""
        write(self.memory / "memory.limit_in_bytes", limits.memory_bytes)
        with contextlib.suppress(FileNotFoundError):  # no swap accounting
            swap = self.memory / "memory.memsw.limit_in_bytes"
            write(swap, limits.memory_bytes)
        write(self.pids / "pids.max", limits.pids + LAUNCHER_PIDS)
        share = quota(limits.cpus, PERIOD_MICROSECONDS)
        if share is not None:
            write(self.cpu / "cpu.cfs_period_us", PERIOD_MICROSECONDS)
            write(self.cpu / "cpu.cfs_quota_us", share)

    def freeze(self) -> None:
        """Stop every process in the group, until `thaw`."""
        state = self.freezer / "freezer.state"
        write(state, "FROZEN")
        until(lambda: read(state).strip() == "FROZEN", "freeze")

    def thaw(self) -> None:
        """Let a frozen group go on."""
        write(self.freezer / "freezer.state", "THAWED")

    def kill(self) -> None:
        """End every process, frozen or not; returns when it is empty."""
        # Frozen, nothing can fork while the signals go out; they are acted
        # upon at the thaw.
        with contextlib.suppress(FileNotFoundError):  # gone already
            write(self.freezer / "freezer.state", "FROZEN")
            signal_all(self.freezer)
            self.thaw()
        until(lambda: emptied(self.freezer), "kill")
        for path in (self.memory, self.pids, self.cpu):
            until(lambda path=path: emptied(path), "kill")

    def destroy(self) -> None:
        """Remove the emptied group."""
        for path in self.paths:
            remove(path)

    def oom_kills(self) -> int:
        """How many processes the bound on memory has ended."""
        return counter(self.memory / "memory.oom_control", "oom_kill")

    def pids_refused(self) -> int:
        """How often the bound on processes refused one."""
        return counter(self.pids / "pids.events", "max")

    def peak_memory_bytes(self) -> int | None:
        """The most memory that was in use at once, if counted."""
        return number(self.memory / "memory.max_usage_in_bytes")


@dataclass(frozen=True)
class CgroupV2:
    """One group for everything."""

    path: Path

    @property
    def paths(self) -> tuple[Path, ...]:
        """The folders of the group."""
        return (self.path,)

    def limit(self, limits: Limits) -> None:
        """Set the bounds; raises OSError where the host refuses one."""
        write(self.path / "memory.max", limits.memory_bytes)
        with contextlib.suppress(FileNotFoundError):  # no swap accounting
            write(self.path / "memory.swap.max", 0)
        write(self.path / "pids.max", limits.pids + LAUNCHER_PIDS)
        share = quota(limits.cpus, PERIOD_MICROSECONDS)
        if share is not None:
            write(self.path / "cpu.max", f"{share} {PERIOD_MICROSECONDS}")

    def freeze(self) -> None:
        """Stop every process in the group, until `thaw`."""
        write(self.path / "cgroup.freeze", 1)
        events = self.path / "cgroup.events"
        until(lambda: counter(events, "frozen") == 1, "freeze")

    def thaw(self) -> None:
        """Let a frozen group go on."""
        write(self.path / "cgroup.freeze", 0)

    def kill(self) -> None:
        """End every process, frozen or not; returns when it is empty."""
        with contextlib.suppress(FileNotFoundError):  # gone already
            write(self.path / "cgroup.freeze", 1)
            signal_all(self.path)
            self.thaw()
        until(lambda: emptied(self.path), "kill")

    def destroy(self) -> None:
        """Remove the emptied group."""
        remove(self.path)

    def oom_kills(self) -> int:
        """How many processes the bound on memory has ended."""
        return counter(self.path / "memory.events", "oom_kill")

    def pids_refused(self) -> int:
        """How often the bound on processes refused one."""
        return counter(self.path / "pids.events", "max")

    def peak_memory_bytes(self) -> int | None:
        """The most memory that was in use at once, if counted."""
        return number(self.path / "memory.peak")


Made = TypeVar("Made", CgroupV1, CgroupV2)


@dataclass(frozen=True)
class TreeV1:
    """The v1 parents, one per controller."""

    memory: Path
    pids: Path
    cpu: Path
    freezer: Path

    def paths(self, name: str) -> tuple[Path, ...]:
        """Where `create` would make them."""
        parents = (self.memory, self.pids, self.cpu, self.freezer)
        return tuple(parent / f"{PREFIX}{name}" for parent in parents)

    def create(self, name: str, limits: Limits) -> CgroupV1:
        """A limited group; raises OSError where the host refuses."""
        return _made(CgroupV1(*self.paths(name)), limits)


@dataclass(frozen=True)
class TreeV2:
    """The v2 parent, its controllers handed on to its children."""

    parent: Path

    def paths(self, name: str) -> tuple[Path, ...]:
        """Where `create` would make it."""
        return (self.parent / f"{PREFIX}{name}",)

    def create(self, name: str, limits: Limits) -> CgroupV2:
        """A limited group; raises OSError where the host refuses."""
        return _made(CgroupV2(*self.paths(name)), limits)


def remains(paths: tuple[Path, ...]) -> Cgroup | None:
    """The group that a predecessor left at `paths`, if it is still there."""
    there = any(path.is_dir() for path in paths)
    if not there or not all(path.name.startswith(PREFIX) for path in paths):
        return None
    for path in paths:
        # Half of it may be gone: made again, it is removed as a whole.
        path.mkdir(exist_ok=True)
    return CgroupV2(*paths) if len(paths) == 1 else CgroupV1(*paths)


def _made(cgroup: Made, limits: Limits) -> Made:
    try:
        for path in cgroup.paths:
            path.mkdir()
        cgroup.limit(limits)
    except OSError:
        for path in cgroup.paths:
            with contextlib.suppress(OSError):
                path.rmdir()
        raise
    return cgroup
