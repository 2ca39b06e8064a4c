"""What bubblewrap says of a sandbox, and the outcome that follows from it."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable

from quasar_core.execution.cgroups import Cgroup
from quasar_core.execution.sandbox import Ending, Outcome
from quasar_core.execution.supervisor import HeadAndTail, Stop

STATUS_BYTES = 64 * 1024
SIGNAL_BASE = 128
"""bubblewrap ends with 128 + N for a payload that signal N ended."""


class Status:
    """Reads `--json-status-fd`: one JSON object a line."""

    def __init__(self, tell_init_pid: Callable[[int], None]) -> None:
        self.exit_code: int | None = None
        self._tell_init_pid = tell_init_pid
        self._pending = bytearray()

    def feed(self, chunk: bytes) -> bool:
        """Take a chunk; False for more than bubblewrap ever says."""
        self._pending += chunk
        *lines, rest = bytes(self._pending).split(b"\n")
        self._pending = bytearray(rest)
        for line in filter(None, lines):
            self._take(json.loads(line))
        return len(self._pending) < STATUS_BYTES

    def _take(self, facts: dict[str, int]) -> None:
        if "child-pid" in facts:
            self._tell_init_pid(facts["child-pid"])
        self.exit_code = facts.get("exit-code", self.exit_code)


class Announced:
    """A stream that opens with a secret word, which is not passed on."""

    def __init__(self, announcement: str, sink: HeadAndTail) -> None:
        self.announcement = announcement
        self._expected = announcement.encode()
        self._opening = b""
        self._sink = sink

    @property
    def ready(self) -> bool:
        """Whether the word was said: the payload is about to run."""
        return self._opening == self._expected

    @property
    def value(self) -> bytes:
        """What followed, or what came instead."""
        return self._sink.value if self.ready else self._opening

    def feed(self, chunk: bytes) -> bool:
        """Take a chunk; False once more came than may be drained."""
        missing = len(self._expected) - len(self._opening)
        self._opening += chunk[:missing]
        return self._sink.feed(chunk[missing:])


def ended(
    stop: Stop,
    *,
    status: Status,
    stdout: Announced,
    stderr: HeadAndTail,
    wall_seconds: float,
    cgroup: Cgroup | None,
) -> Outcome:
    """The outcome of a sandbox in which nothing runs any more."""
    code = status.exit_code
    out_of_memory = cgroup is not None and cgroup.oom_kills() > 0
    return Outcome(
        ending=_ending(stop, code, stdout.ready, out_of_memory),
        exit_code=code,
        signal=_signal(code),
        stdout=stdout.value,
        stderr=stderr.value,
        wall_seconds=wall_seconds,
        peak_memory_bytes=(
            None if cgroup is None else cgroup.peak_memory_bytes()
        ),
        pids_limit_hit=cgroup is not None and cgroup.pids_refused() > 0,
    )


def _ending(
    stop: Stop, code: int | None, ready: bool, out_of_memory: bool
) -> Ending:
    if not ready:
        return Ending.KILLED if stop is Stop.ASKED else Ending.INFRA
    if stop is Stop.EXITED and code == 0:
        return Ending.OK
    if out_of_memory:
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
