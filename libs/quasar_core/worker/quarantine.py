"""Quarantine: a worker that cannot be trusted takes no more jobs.

Its device failed twice in a row, or a canary got the wrong verdict. It is a
file, so that a restart does not lift it: an operator looks at the machine,
and then removes the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from quasar_core.errors import QuasarError
from quasar_core.judge.spawn import UnhealthyDeviceError
from quasar_core.telemetry.logs import get_logger

FAILURES = 2
"""One failed check may be chance; the second in a row is the machine."""

log = get_logger(__name__)


class WorkerQuarantined(QuasarError):
    """A worker has set itself aside; the text says what lifts it."""


@dataclass
class Quarantine:
    """Counts failed health checks in a row."""

    path: Path
    failures: int = 0

    @property
    def holds(self) -> bool:
        """Whether this worker takes no jobs."""
        return self.path.exists()

    def check(self) -> None:
        """Raise WorkerQuarantined where it holds."""
        if self.holds:
            told = self.path.read_text(encoding="utf-8")
            raise WorkerQuarantined(
                f"this worker quarantined itself: {told}."
                f" See to the machine, then remove {self.path}"
            )

    @contextmanager
    def minding(self) -> Iterator[None]:
        """Count whether the device came through a job in health."""
        try:
            yield
        except UnhealthyDeviceError as fault:
            self.failed(str(fault))
            raise
        self.passed()

    def passed(self) -> None:
        """A job went by with a healthy device."""
        self.failures = 0

    def failed(self, reason: str) -> None:
        """A health check failed; the second in a row sets it aside."""
        self.failures += 1
        log.error("health.failed", reason=reason, in_a_row=self.failures)
        if self.failures >= FAILURES:
            self.impose(reason)

    def impose(self, reason: str) -> None:
        """Set this worker aside, from now on and after a restart."""
        self.path.write_text(reason, encoding="utf-8")
        log.critical("worker.quarantined", reason=reason)
