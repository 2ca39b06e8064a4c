"""How a sandbox ended, told from what was seen of it outside."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from quasar_core.execution.cgroups import Cgroup
from quasar_core.execution.sandbox import Ending, Outcome
from quasar_core.execution.supervisor import Stop

SIGNAL_BASE = 128
"""An exit code of 128 + N tells of a payload that signal N ended."""


@dataclass(frozen=True)
class Counts:
    """What a sandbox's control group had counted at its end."""

    out_of_memory: bool = False
    pids_refused: bool = False
    peak_memory_bytes: int | None = None

    @classmethod
    def of(cls, cgroup: Cgroup | None) -> Counts:
        """Those of a group; nothing where there is none."""
        if cgroup is None:
            return cls()
        return cls(
            out_of_memory=cgroup.oom_kills() > 0,
            pids_refused=cgroup.pids_refused() > 0,
            peak_memory_bytes=cgroup.peak_memory_bytes(),
        )


@dataclass(frozen=True)
class Said:
    """What a sandbox said: whether its payload began, and what it wrote."""

    ready: bool
    exit_code: int | None
    stdout: bytes
    stderr: bytes


def ended(
    stop: Stop, said: Said, counts: Counts, wall_seconds: float
) -> Outcome:
    """The outcome of a sandbox in which nothing runs any more."""
    return Outcome(
        ending=_ending(stop, said, counts),
        exit_code=said.exit_code,
        signal=_signal(said.exit_code),
        stdout=said.stdout,
        stderr=said.stderr,
        wall_seconds=wall_seconds,
        peak_memory_bytes=counts.peak_memory_bytes,
        pids_limit_hit=counts.pids_refused,
    )


def _ending(stop: Stop, said: Said, counts: Counts) -> Ending:
    code = said.exit_code
    if not said.ready:
        return Ending.KILLED if stop is Stop.ASKED else Ending.INFRA
    if stop is Stop.EXITED and code == 0:
        return Ending.OK
    if counts.out_of_memory:
        # Whoever waits at the payload's socket may ask for its end before
        # the payload's own end is noticed here.
        return Ending.OUT_OF_MEMORY
    if stop is not Stop.EXITED:
        return STOPPED[stop]
    if code is None:
        return Ending.INFRA
    return Ending.NONZERO if _signal(code) is None else Ending.SIGNAL


def _signal(code: int | None) -> int | None:
    if code is None or not SIGNAL_BASE < code < SIGNAL_BASE + signal.NSIG:
        return None
    return code - SIGNAL_BASE


STOPPED = {
    Stop.DEADLINE: Ending.TIMEOUT,
    Stop.OVERFLOW: Ending.OUTPUT_LIMIT,
    Stop.ASKED: Ending.KILLED,
}
