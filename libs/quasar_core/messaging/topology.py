"""Which queue hears which event: the whole flow on one page."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from quasar_core.contracts.events import (
    AttemptHeartbeat,
    AttemptStarted,
    BaselineMeasured,
    BenchmarkCompleted,
    BenchmarkRequested,
    CanaryCompleted,
    ChallengeCompleted,
    ChallengeRequested,
    Event,
    RunFailed,
    SourceFetched,
    StageCompleted,
    SubmissionRejected,
    VerificationCompleted,
    VerificationRequested,
    WorkerSeen,
)

RECORDING = "recording"
"""Where every fact goes: heard by the API's recorder alone."""

BENCHMARK = "benchmark"
"""Jobs for benchmark workers; one queue per pool: `benchmark.<pool>`."""

VERIFICATION = "verification"
"""Jobs for verifier workers; one queue per pool."""

POOLED = frozenset({BENCHMARK, VERIFICATION})

TOPOLOGY: Mapping[type[Event], str] = MappingProxyType(
    {
        BenchmarkRequested: BENCHMARK,
        ChallengeRequested: BENCHMARK,
        VerificationRequested: VERIFICATION,
        AttemptStarted: RECORDING,
        AttemptHeartbeat: RECORDING,
        StageCompleted: RECORDING,
        SourceFetched: RECORDING,
        BenchmarkCompleted: RECORDING,
        ChallengeCompleted: RECORDING,
        VerificationCompleted: RECORDING,
        SubmissionRejected: RECORDING,
        RunFailed: RECORDING,
        BaselineMeasured: RECORDING,
        CanaryCompleted: RECORDING,
        WorkerSeen: RECORDING,
    }
)
"""One line per event: add a listener here, and its handler there."""


def queue_for(event: type[Event], pool: str | None = None) -> str:
    """The queue on which `event` travels.

    Raises ValueError where a pool is missing, or given for a queue that
    has none, and KeyError for an event that is not in the topology.
    """
    queue = TOPOLOGY[event]
    if queue not in POOLED:
        if pool is not None:
            raise ValueError(f"queue {queue} has no pools")
        return queue
    if pool is None:
        raise ValueError(f"queue {queue} needs a pool")
    return f"{queue}.{pool}"


def events_on(queue: str) -> tuple[type[Event], ...]:
    """The events that the consumer of `queue` (without pool) hears."""
    return tuple(event for event, home in TOPOLOGY.items() if home == queue)
