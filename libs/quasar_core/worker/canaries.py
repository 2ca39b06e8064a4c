"""Canaries on a worker: when they are due, and what their verdicts mean."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from quasar_core.contracts.events import CanaryCompleted, CanaryVerdict
from quasar_core.domain.canaries import (
    EXPECTED,
    NO_VERDICT,
    Canary,
    is_right,
)
from quasar_core.errors import TransientError
from quasar_core.execution.sandbox import SandboxUnavailable
from quasar_core.judge.harness import harness_digest
from quasar_core.judge.spawn import RefereeCrashedError
from quasar_core.telemetry.logs import get_logger
from quasar_core.telemetry.metrics import CRASHES
from quasar_core.worker.attempt import new_id
from quasar_core.worker.durable import write_durably
from quasar_core.worker.quarantine import Quarantine

TRIES = 3
"""One run that fails may be chance; the third is the machine."""

Examine = Callable[[Canary], CanaryVerdict]
"""Judges a canary as a stranger's submission is judged."""

log = get_logger(__name__)


@dataclass(frozen=True)
class Doubt:
    """Whether a job may have harmed this machine: a file, so it survives.

    It is there while a job runs; whatever ends the process then leaves it.
    """

    path: Path

    @property
    def stands(self) -> bool:
        """Whether the last job did not end, or failed on this machine."""
        return self.path.exists()

    def raised(self) -> None:
        """A job begins."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.touch()

    def lifted(self) -> None:
        """The job did no harm, or known submissions were judged rightly."""
        self.path.unlink(missing_ok=True)


@dataclass(frozen=True)
class Canaries:
    """A worker's canaries: judged when they are due, told, and minded.

    They are due `period_seconds` after they were right last, and once a job
    has failed on this machine, also one that took the process with it; 0
    switches them off. A wrong verdict sets the worker aside at once.
    `record` is the file that says when they were right last.
    """

    worker: str
    pool: str
    role: str
    record: Path
    doubt: Doubt
    period_seconds: float
    examine: Examine
    deliver: Callable[[CanaryCompleted], None]
    quarantine: Quarantine
    clock: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        CRASHES.labels("canary")

    @property
    def due(self) -> bool:
        """Whether they are to be judged before any further job."""
        if self.period_seconds == 0:
            return False
        if self.doubt.stands:
            return True
        return not 0 <= self.clock() - self._right_at() < self.period_seconds

    def judge(self) -> None:
        """Judge each, and tell what came of it.

        Raises SandboxUnavailable where no stranger's code can be run.
        """
        wrong = [
            f"canary {canary.value} had to be {expected}, and was {got}"
            for canary, expected in EXPECTED[self.role].items()
            if not is_right(self.role, canary, got := self._judged(canary))
        ]
        if wrong:
            self.quarantine.impose("; ".join(wrong))
        if not self.quarantine.holds:
            write_durably(self.record, f"{self.clock()}\n")
            self.doubt.lifted()

    def _judged(self, canary: Canary) -> CanaryVerdict:
        started = time.monotonic()
        got = self._examined(canary)
        event = CanaryCompleted(
            event_id=new_id(),
            occurred_at=datetime.now(UTC),
            worker=self.worker,
            pool=self.pool,
            role=self.role,
            canary=canary,
            got=got,
            harness_digest=harness_digest(),
            seconds=time.monotonic() - started,
        )
        log.info("canary.completed", canary=canary.value, got=got)
        self.deliver(event)
        return got

    def _examined(self, canary: Canary) -> CanaryVerdict:
        for tries_left in reversed(range(TRIES)):
            try:
                return self.examine(canary)
            except SandboxUnavailable:
                raise  # told, and mended, as at the worker's start
            except TransientError as fault:
                log.warning(
                    "canary.failed", canary=canary.value, fault=str(fault)
                )
            except RefereeCrashedError:
                CRASHES.labels("canary").inc()
                log.exception("canary.crashed", canary=canary.value)
            if self.quarantine.holds or tries_left == 0:
                break
        return NO_VERDICT

    def _right_at(self) -> float:
        try:
            return float(self.record.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return float("-inf")
