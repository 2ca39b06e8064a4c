"""The recorder's story: one message, one transaction, at most once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType

from quasar_core.contracts.events import (
    EVENTS,
    AttemptHeartbeat,
    AttemptStarted,
    BaselineMeasured,
    BenchmarkCompleted,
    CanaryCompleted,
    ChallengeCompleted,
    Event,
    RunFailed,
    SourceFetched,
    StageCompleted,
    SubmissionRejected,
    VerificationCompleted,
    WorkerEvent,
    WorkerSeen,
)
from quasar_core.telemetry.logs import get_logger
from quasar_core.telemetry.metrics import VERDICTS
from sqlalchemy.orm import Session

from services.api.attempts.repository import Job, State
from services.api.db.session import Database
from services.api.recording import challenges, results, workers
from services.api.recording.facts import (
    Scene,
    begin,
    scene_of,
    start_over,
    started,
)
from services.api.recording.repository import remember
from services.api.recording.verdicts import ReportRefused

log = get_logger("api.recorder")

Clock = Callable[[], datetime]


class Recorder:
    """Writes down what workers tell; safe to be told twice, or late."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        lease_seconds: float,
        backoff_seconds: float,
    ) -> None:
        self._database = database
        self._clock = clock
        self._lease_seconds = lease_seconds
        self._backoff_seconds = backoff_seconds
        VERDICTS.labels("failed_run")

    def handlers(self) -> Mapping[type[Event], Callable[[Event], None]]:
        """What the consumer of `recording` calls for each event."""
        heard = (*ABOUT_ATTEMPTS, *ABOUT_CHALLENGES, *ABOUT_WORKERS)
        return dict.fromkeys(heard, self.record)

    def record(self, event: Event) -> None:
        """Write one message down.

        Raises DatabaseUnavailable, then nothing was written and the same
        message may come again.
        """
        now = self._clock()
        with self._database.write() as session:
            if not remember(session, event.event_id, now):
                log.info("message.repeated", event_id=str(event.event_id))
                return
            if isinstance(event, WorkerEvent):
                self._about_an_attempt(session, event, now)
            else:
                ABOUT_WORKERS[type(event)](session, event, now)

    def _about_an_attempt(
        self, session: Session, event: WorkerEvent, now: datetime
    ) -> None:
        scene = scene_of(
            session,
            event,
            now=now,
            lease_seconds=self._lease_seconds,
            backoff_seconds=self._backoff_seconds,
        )
        if scene is None:
            return
        if scene.live:
            begin(scene, event)
        elif type(event) not in EVEN_LATE:
            log.info("message.late", event_name=event.event_name)
            return
        try:
            hear(scene, event)
        except ReportRefused as refused:
            start_over(scene, str(refused))


def hear(scene: Scene, event: WorkerEvent) -> None:
    """Do what the message asks for, and what has waited for it.

    A result waits for the commitment to its seed, and for the source that
    it was measured with, if they are still on their way; the lease goes on
    meanwhile. Raises ReportRefused.
    """
    if _waits(scene, event):
        scene.attempt.held = {
            "event_name": event.event_name,
            "body": event.model_dump(mode="json"),
        }
        return
    about = ABOUT_ATTEMPTS
    if scene.job is Job.CHALLENGE:
        about = ABOUT_CHALLENGES
    about.get(type(event), unfit)(scene, event)
    if scene.live and scene.attempt.held is not None:
        held = scene.attempt.held
        waiting = EVENTS[held["event_name"]].model_validate(held["body"])
        assert isinstance(waiting, WorkerEvent)  # noqa: S101 -- it was held
        if not _waits(scene, waiting):
            hear(scene, waiting)


def _waits(scene: Scene, event: WorkerEvent) -> bool:
    """Whether a result came before what it rests on."""
    if scene.attempt.seed_commitment is None and _of_a_run(event):
        return True
    return (
        isinstance(event, BenchmarkCompleted)
        and scene.job is Job.BENCHMARK
        and scene.submission.tree_hash is None
    )


def _of_a_run(event: WorkerEvent) -> bool:
    match event:
        case SubmissionRejected():
            return event.manifest is not None
        case _:
            return isinstance(
                event,
                BenchmarkCompleted
                | VerificationCompleted
                | ChallengeCompleted,
            )


def unfit(scene: Scene, event: WorkerEvent) -> None:
    """A message that this sort of attempt never has; raises ReportRefused."""
    raise ReportRefused(f"a {scene.job.value} has no {event.event_name}")


def unremarkable(scene: Scene, event: WorkerEvent) -> None:
    """It renews the lease, and that is all."""
    del scene, event


def alive(scene: Scene, event: AttemptHeartbeat) -> None:
    """The worker lives; where it is at a new stage, the log says so."""
    if scene.submission.stage == event.stage:
        return
    scene.submission.stage = event.stage
    scene.submission.updated_at = scene.now
    scene.tell_stage(event.stage, {"state": "began"})


def failed(scene: Scene, event: RunFailed) -> None:
    """The world is at fault: another attempt."""
    state = State.HARMED if event.harmed else State.FAILED
    reason = f"{event.stage.value}: {event.reason}"
    start_over(scene, reason, state, event.stage)


ABOUT_ATTEMPTS: Mapping[type[Event], Callable[..., None]] = MappingProxyType(
    {
        AttemptStarted: started,
        AttemptHeartbeat: alive,
        StageCompleted: results.stage_passed,
        SourceFetched: results.source_fetched,
        BenchmarkCompleted: results.benchmarked,
        VerificationCompleted: results.verified,
        SubmissionRejected: results.rejected,
        RunFailed: failed,
    }
)

ABOUT_CHALLENGES: Mapping[type[Event], Callable[..., None]] = MappingProxyType(
    {
        AttemptStarted: started,
        AttemptHeartbeat: unremarkable,
        StageCompleted: unremarkable,
        ChallengeCompleted: challenges.decided,
        RunFailed: failed,
    }
)
"""A challenge moves no submission, whatever its worker says."""

ABOUT_WORKERS: Mapping[type[Event], Callable[..., None]] = MappingProxyType(
    {
        BaselineMeasured: workers.baseline_measured,
        CanaryCompleted: workers.canary_completed,
        WorkerSeen: workers.seen,
    }
)

EVEN_LATE = frozenset({StageCompleted, SourceFetched})
"""What is still worth knowing when the attempt's end was recorded first."""
