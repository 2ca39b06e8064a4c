"""The events of the platform: frozen models, one per fact or request.

The class is the schema, `event_name` is its name on the wire, and
`messaging/topology.py` says who hears it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from quasar_core.contracts.reports import (
    ChallengeReport,
    CorrectnessReport,
    LogitsReport,
    Manifest,
    Rejection,
    Source,
    Timing,
)
from quasar_core.contracts.values import (
    CommitHash,
    Contract,
    Evidence,
    FencingToken,
    Moment,
    PoolName,
    PositiveSeconds,
    Seconds,
    Sha256Hex,
    WorkerName,
    WorkerRole,
)
from quasar_core.domain.canaries import Canary
from quasar_core.errors import RejectionCode, Stage

CanaryVerdict = RejectionCode | Literal["passed", "no_verdict"]
"""What a canary came to; what it had to come to is in `domain.canaries`."""


class Event(Contract):
    """What all events carry: an id to be idempotent by, and a time."""

    event_name: ClassVar[str]

    event_id: UUID
    occurred_at: Moment


class AttemptEvent(Event):
    """An event about one attempt at a submission.

    The token was sent in that attempt's job alone; a message with another
    attempt's token is stale and changes nothing.
    """

    submission_id: UUID
    attempt_id: UUID
    fencing_token: FencingToken


class WorkerEvent(AttemptEvent):
    """An attempt's event as its worker tells it."""

    worker: WorkerName


# --- requests: the scheduler asks, a worker answers ----------------------


class BenchmarkRequested(AttemptEvent):
    """Fetch, screen and judge this commit at this length."""

    event_name: ClassVar[str] = "benchmark.requested"

    round_number: Annotated[int, Field(ge=1)]
    attempt_number: Annotated[int, Field(ge=1)]
    fork_url: Annotated[str, Field(max_length=512)]
    commit_hash: CommitHash
    sequence_length: Annotated[int, Field(gt=0)]
    source: Source | None = None
    """The archive, when an earlier attempt has already fetched it."""


class Contender(Contract):
    """An archived source, and the length that it plays at."""

    source: Source
    sequence_length: Annotated[int, Field(gt=0)]


class ChallengeRequested(AttemptEvent):
    """Run these two once more, in turns, before the first may pass.

    `submission_id` is the challenger's.
    """

    event_name: ClassVar[str] = "challenge.requested"

    round_number: Annotated[int, Field(ge=1)]
    attempt_number: Annotated[int, Field(ge=1)]
    challenger: Contender
    defender: Contender


class VerificationRequested(AttemptEvent):
    """Check the logits of this archived source."""

    event_name: ClassVar[str] = "verification.requested"

    round_number: Annotated[int, Field(ge=1)]
    attempt_number: Annotated[int, Field(ge=1)]
    source: Source
    cosine_sim_threshold: Annotated[float, Field(ge=-1, le=1)]
    max_diff_threshold: PositiveSeconds


# --- facts: a worker tells, the recorder writes down ----------------------


class AttemptStarted(WorkerEvent):
    """A worker took the job: the lease begins."""

    event_name: ClassVar[str] = "attempt.started"

    seed_commitment: Sha256Hex
    """Binds the run to its master seed before anything of it is run."""


class AttemptHeartbeat(WorkerEvent):
    """The worker is alive and at this stage: the lease is renewed."""

    event_name: ClassVar[str] = "attempt.heartbeat"

    stage: Stage


class StageCompleted(WorkerEvent):
    """A stage was passed."""

    event_name: ClassVar[str] = "stage.completed"

    stage: Stage
    seconds: Seconds
    detail: Evidence = {}


class SourceFetched(WorkerEvent):
    """The kernel files of the commit, to be archived."""

    event_name: ClassVar[str] = "source.fetched"

    source: Source


class BenchmarkCompleted(WorkerEvent):
    """The kernel is right, and these are its times."""

    event_name: ClassVar[str] = "benchmark.completed"

    manifest: Manifest
    correctness: CorrectnessReport
    timing: Timing


class ChallengeCompleted(WorkerEvent):
    """Both were run once more; who is the faster is for others to say."""

    event_name: ClassVar[str] = "challenge.completed"

    report: ChallengeReport


class VerificationCompleted(WorkerEvent):
    """The logits agree, by this report."""

    event_name: ClassVar[str] = "verification.completed"

    manifest: Manifest
    logits: LogitsReport


class SubmissionRejected(WorkerEvent):
    """The submission is at fault; final."""

    event_name: ClassVar[str] = "submission.rejected"

    rejection: Rejection
    manifest: Manifest | None = None
    logits: LogitsReport | None = None


class RunFailed(WorkerEvent):
    """The world is at fault: another attempt, free for the miner."""

    event_name: ClassVar[str] = "run.failed"

    stage: Stage
    reason: Annotated[str, Field(max_length=1_000)]
    harmed: bool = False
    """Whether the machine came to harm while the submission ran on it."""


class BaselineMeasured(Event):
    """The trusted kernel's samples on a worker, before its first job."""

    event_name: ClassVar[str] = "baseline.measured"

    worker: WorkerName
    pool: PoolName
    round_number: Annotated[int, Field(ge=1)]
    sequence_length: Annotated[int, Field(gt=0)]
    samples: Annotated[
        tuple[PositiveSeconds, ...], Field(min_length=3, max_length=1_000)
    ]
    environment: dict[str, str]


class CanaryCompleted(Event):
    """A known-good or known-bad submission was run on a worker."""

    event_name: ClassVar[str] = "canary.completed"

    worker: WorkerName
    pool: PoolName
    role: WorkerRole
    canary: Canary
    got: CanaryVerdict
    harness_digest: Sha256Hex
    seconds: Seconds


class WorkerSeen(Event):
    """A worker is up and ready for its queue."""

    event_name: ClassVar[str] = "worker.seen"

    worker: WorkerName
    pool: PoolName
    role: WorkerRole
    environment: dict[str, str]


EVENTS: Mapping[str, type[Event]] = MappingProxyType(
    {
        event.event_name: event
        for event in (
            BenchmarkRequested,
            ChallengeRequested,
            VerificationRequested,
            AttemptStarted,
            AttemptHeartbeat,
            StageCompleted,
            SourceFetched,
            BenchmarkCompleted,
            ChallengeCompleted,
            VerificationCompleted,
            SubmissionRejected,
            RunFailed,
            BaselineMeasured,
            CanaryCompleted,
            WorkerSeen,
        )
    }
)
"""Every event of the platform by its name on the wire."""
