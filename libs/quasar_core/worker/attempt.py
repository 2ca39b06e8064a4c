"""An attempt as its worker lives it: what it tells, and how it may end."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from quasar_core.contracts.events import (
    AttemptEvent,
    AttemptHeartbeat,
    AttemptStarted,
    BenchmarkCompleted,
    ChallengeCompleted,
    RunFailed,
    SourceFetched,
    StageCompleted,
    SubmissionRejected,
    VerificationCompleted,
    WorkerEvent,
)
from quasar_core.contracts.reports import (
    LOG_TAIL_LIMIT,
    ChallengeReport,
    JudgeReport,
    LogitsReport,
    Manifest,
    Rejection,
    Source,
)
from quasar_core.contracts.values import Evidence
from quasar_core.domain.seeds import seed_commitment
from quasar_core.errors import Stage, SubmissionFault
from quasar_core.judge.progress import Progress
from quasar_core.telemetry.logs import get_logger
from quasar_core.telemetry.metrics import STAGE_SECONDS, VERDICTS
from quasar_core.worker.post import Post

TEXT_LIMIT = 1_000

Shield = Callable[[], AbstractContextManager[None]]
E = TypeVar("E", bound=WorkerEvent)

log = get_logger(__name__)


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562): sorts by the millisecond it was made in."""
    value = (time.time_ns() // 1_000_000 & ((1 << 48) - 1)) << 80
    value |= 0x7 << 76 | secrets.randbits(12) << 64
    value |= 0b10 << 62 | secrets.randbits(62)
    return UUID(int=value)


class Attempt:
    """Tells the recorder about one attempt, under the token of its job.

    `stage` is where the attempt is now: heartbeats say it, from their own
    thread. `seed` is the master of its run, which the first message commits
    to. Each message is sent inside `shield`, which a stop waits for.
    """

    def __init__(
        self,
        job: AttemptEvent,
        worker: str,
        post: Post,
        shield: Shield,
        first_stage: Stage,
    ) -> None:
        self.stage = first_stage
        self.seed = secrets.token_hex(32)
        self._job = job
        self._worker = worker
        self._post = post
        self._shield = shield

    def started(self) -> None:
        """The job was taken: its lease begins, and its seed is fixed.

        Delivered, not just told: a result counts only with the commitment.
        """
        self._deliver(
            self._made(
                AttemptStarted, seed_commitment=seed_commitment(self.seed)
            )
        )
        log.info("attempt.started", worker=self._worker)

    def heartbeat(self) -> None:
        """The worker lives: the lease is renewed. From another thread."""
        self._post.tell(self._made(AttemptHeartbeat, stage=self.stage))

    def passed(
        self, stage: Stage, seconds: float, detail: Evidence | None = None
    ) -> None:
        """A stage was passed."""
        log.info("stage.completed", stage=stage, seconds=round(seconds, 3))
        STAGE_SECONDS.labels(stage.value).observe(seconds)
        self._tell(
            self._made(
                StageCompleted,
                stage=stage,
                seconds=seconds,
                detail=detail or {},
            )
        )

    def follow(self, progress: Progress) -> None:
        """Listen to a judging: a stage began, or was passed."""
        self.stage = progress.stage
        if progress.seconds is not None:
            self.passed(progress.stage, progress.seconds, progress.detail)

    def fetched(self, source: Source) -> None:
        """The kernel files, to be archived."""
        log.info("source.fetched", tree_hash=source.tree_hash)
        self._deliver(self._made(SourceFetched, source=source))

    def completed(self, report: JudgeReport) -> None:
        """The kernel is right; raises ValueError for an unfinished report."""
        if report.correctness is None or report.timing is None:
            raise ValueError("a passed report lacks correctness or timing")
        self._end(
            "passed",
            self._made(
                BenchmarkCompleted,
                manifest=report.manifest,
                correctness=report.correctness,
                timing=report.timing,
            ),
        )

    def challenged(self, report: ChallengeReport) -> None:
        """Both were run once more, or one of them could not be."""
        self._end("challenged", self._made(ChallengeCompleted, report=report))

    def verified(self, manifest: Manifest, logits: LogitsReport) -> None:
        """The logits agree."""
        self._end(
            "passed",
            self._made(
                VerificationCompleted, manifest=manifest, logits=logits
            ),
        )

    def rejected(
        self,
        rejection: Rejection,
        manifest: Manifest | None = None,
        logits: LogitsReport | None = None,
    ) -> None:
        """The submission is at fault."""
        self._end(
            rejection.code.value,
            self._made(
                SubmissionRejected,
                rejection=rejection,
                manifest=manifest,
                logits=logits,
            ),
        )

    @property
    def has_run(self) -> bool:
        """Whether the submission itself was run, and not just looked at."""
        return self.stage not in (Stage.FETCH, Stage.SCREEN)

    def failed(self, reason: str, *, harmed: bool = False) -> None:
        """The world, or we, are at fault: another attempt.

        `harmed`: the machine came to harm while the submission ran.
        """
        self._end(
            "failed_run",
            self._made(
                RunFailed,
                stage=self.stage,
                reason=reason[:TEXT_LIMIT],
                harmed=harmed,
            ),
        )

    def _end(self, verdict: str, event: WorkerEvent) -> None:
        log.info(event.event_name, verdict=verdict, stage=self.stage)
        VERDICTS.labels(verdict).inc()
        self._deliver(event)

    def _tell(self, event: WorkerEvent) -> None:
        with self._shield():
            self._post.tell(event)

    def _deliver(self, event: WorkerEvent) -> None:
        with self._shield():
            self._post.deliver(event)

    def _made(self, kind: type[E], **fields: Any) -> E:
        return kind(
            event_id=new_id(),
            occurred_at=datetime.now(UTC),
            submission_id=self._job.submission_id,
            attempt_id=self._job.attempt_id,
            fencing_token=self._job.fencing_token,
            worker=self._worker,
            **fields,
        )


def rejection_of(fault: SubmissionFault) -> Rejection:
    """The verdict that a SubmissionFault carries, within the contract."""
    evidence = dict(fault.evidence)
    log_tail = str(evidence.pop("log_tail", ""))
    return Rejection(
        code=fault.code,
        stage=fault.stage,
        detail=fault.detail[:TEXT_LIMIT],
        evidence=evidence,
        log_tail=log_tail[-LOG_TAIL_LIMIT:],
    )
