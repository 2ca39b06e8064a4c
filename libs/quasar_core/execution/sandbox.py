"""The sandbox as its callers see it: one protocol, several back ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self, TypedDict

from quasar_core.errors import TransientError
from quasar_core.execution.limits import Limits

if TYPE_CHECKING:
    from quasar_core.execution.gpu import GpuView


class SandboxUnavailable(TransientError):
    """No sandbox can be had here: a sentence says what to mend."""


@dataclass(frozen=True)
class Mount:
    """A host path that the payload sees read-only at `target`.

    Without a source the target is an empty read-only folder: it hides
    what an enclosing mount would show there.
    """

    source: Path | None
    target: Path


class Grants(TypedDict):
    """What a job's filter lets through beside what every job may call."""

    loopback: bool
    device: bool


@dataclass(frozen=True)
class Job:
    """What to run inside a sandbox.

    `pass_fds` are inherited by the payload under the numbers they have
    here; nothing else of the caller's descriptors is. `gpu` is what the
    payload sees of a device, or None. `loopback` allows internet sockets on
    the sandbox's own interface, from which nothing else can be reached.
    """

    argv: tuple[str, ...]
    mounts: tuple[Mount, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    pass_fds: tuple[int, ...] = ()
    working_directory: Path = Path("/tmp")  # noqa: S108 -- the sandbox's own
    gpu: GpuView | None = None
    loopback: bool = False
    limits: Limits = field(default_factory=Limits)

    @property
    def grants(self) -> Grants:
        """What it may call beside what every job may."""
        return Grants(loopback=self.loopback, device=self.gpu is not None)


class Ending(StrEnum):
    """How a sandboxed process ended; `INFRA` is never the miner's fault."""

    OK = "ok"
    NONZERO = "nonzero"
    SIGNAL = "signal"
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "oom"
    OUTPUT_LIMIT = "output_limit"
    KILLED = "killed"
    INFRA = "infra"


@dataclass(frozen=True)
class Isolation:
    """What a probe, run inside, found itself unable to do.

    `proved` maps each property (`no_network`, `read_only_root`, `no_caps`,
    `no_new_privs`, `seccomp`, `uid_dropped`, `own_pids`,
    `memory_limited`, `pids_limited`, `no_host_environment` ...) to whether
    it held. `degraded` says that limits rest on rlimits alone.
    """

    backend: str
    proved: Mapping[str, bool]
    degraded: bool

    @property
    def holds(self) -> bool:
        """Whether every property held."""
        return all(self.proved.values())


@dataclass(frozen=True)
class Outcome:
    """The end of a sandboxed process, as seen from outside it."""

    ending: Ending
    exit_code: int | None
    signal: int | None
    stdout: bytes
    stderr: bytes
    wall_seconds: float
    peak_memory_bytes: int | None
    pids_limit_hit: bool = False


class Running(Protocol):
    """A live sandbox: poll it, freeze it, and in the end kill it."""

    @property
    def alive(self) -> bool:
        """Whether the payload's first process still runs."""
        ...

    def freeze(self) -> None:
        """Stop every process inside, until `thaw`."""
        ...

    def thaw(self) -> None:
        """Let a frozen sandbox go on."""
        ...

    def wait(self, timeout_seconds: float | None = None) -> Outcome | None:
        """The outcome once the payload ended, or None at the timeout."""
        ...

    def kill(self) -> Outcome:
        """End everything inside and wait until nothing is left; idempotent.

        After it the outcome is known, the cgroup empty and removed. To
        learn how a payload ended that hung up by itself, `wait` before.
        Raises SandboxUnavailable where something inside does not end.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class Sandbox(Protocol):
    """A back end that runs strangers' code."""

    @property
    def name(self) -> str:
        """What settings and manifests call it."""
        ...

    def preflight(self) -> Isolation:
        """Run a probe inside and check what it could do.

        Raises SandboxUnavailable (a sentence saying what to install or
        mend) where the back end cannot run at all or a property fails.
        """
        ...

    def start(self, job: Job) -> Running:
        """Start a payload; never raises for what the payload does.

        Raises ValueError for a job that can't be run anywhere, and
        SandboxUnavailable for a host that can't run it now.
        """
        ...

    def sweep(self) -> int:
        """End and remove what a crashed predecessor left; how many."""
        ...
