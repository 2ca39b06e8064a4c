"""A kernel's faults in the judge's own words, and the patience with it."""

from __future__ import annotations

import time
from collections.abc import Mapping

from quasar_core.errors import Evidence, QuasarError, RejectionCode
from quasar_core.execution.sandbox import Outcome
from quasar_core.judge.protocol import Failure, printable

LOG_TAIL_BYTES = 4_000
TEXT_LIMIT = 500

FAILURE_CODES: Mapping[Failure, RejectionCode] = {
    Failure.IMPORT: RejectionCode.IMPORT_ERROR,
    Failure.COMPILE: RejectionCode.COMPILE_ERROR,
    Failure.RUNTIME: RejectionCode.RUNTIME_ERROR,
    Failure.OUT_OF_MEMORY: RejectionCode.OUT_OF_MEMORY,
    Failure.WRONG_RESULT: RejectionCode.WRONG_SHAPE_OR_DTYPE,
    Failure.INPUT_MODIFIED: RejectionCode.INPUT_MODIFIED,
}


class KernelFault(QuasarError):
    """What a kernel did wrong; whose kernel it is, the caller knows."""

    def __init__(
        self,
        code: RejectionCode,
        detail: str,
        evidence: Evidence | None = None,
        log: str = "",
    ) -> None:
        super().__init__(f"{code.value}: {detail}")
        self.code = code
        self.detail = detail
        self.evidence = dict(evidence or {})
        self.log_tail = log


class Patience:
    """How long may still be waited; only waiting is charged."""

    def __init__(self, seconds: float) -> None:
        self.left = seconds

    @property
    def deadline(self) -> float:
        """When a wait that starts now must end, on the monotonic clock."""
        return time.monotonic() + self.left

    def charge(self, seconds: float) -> None:
        """Take what a wait has cost."""
        self.left -= seconds


def log_tail(outcome: Outcome) -> str:
    """The ends of what a candidate printed: inert text, for its owner."""
    parts = []
    for name, raw in (("stdout", outcome.stdout), ("stderr", outcome.stderr)):
        if raw:
            text = printable(raw[-LOG_TAIL_BYTES:])[-LOG_TAIL_BYTES:]
            parts.append(f"--- {name} ---\n{text}")
    return "\n".join(parts)[-2 * LOG_TAIL_BYTES :]
