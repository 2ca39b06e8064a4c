"""The board of canaries: known code, judged by every worker."""

from __future__ import annotations

from quasar_core.contracts.values import (
    Contract,
    Moment,
    PoolName,
    Sha256Hex,
    WorkerRole,
)
from quasar_core.domain.canaries import Canary


class CanaryTally(Contract):
    """So many of so many runs got the verdict that they had to get."""

    right: int
    runs: int


class CanaryView(Contract):
    """One run of one canary."""

    canary: Canary
    expected: str
    """`passed`, or the code of the rejection that it has to get."""
    got: str
    """The same, or `no_verdict`: three runs in a row failed."""
    right: bool
    harness_digest: Sha256Hex
    seconds: float
    ran_at: Moment


class WorkerCanaries(Contract):
    """A worker's canaries: counted over the days, and the last of each."""

    worker: str
    role: WorkerRole
    pool: PoolName
    honest_passed: CanaryTally
    cheats_caught: CanaryTally
    last_runs: tuple[CanaryView, ...]


class CanaryBoard(Contract):
    """GET /canaries: cheats caught, honest passed, over the last days."""

    days: int
    honest_passed: CanaryTally
    cheats_caught: CanaryTally
    """Over all workers, also those of other pages."""
    workers: tuple[WorkerCanaries, ...]
    """Workers heard of in these days, by name."""
    next_cursor: str | None = None
    """Where the next page begins, if there is one."""
