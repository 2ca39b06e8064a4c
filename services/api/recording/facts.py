"""Facts: what each message of a worker changes, in one transaction."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from quasar_core.contracts.events import AttemptStarted, WorkerEvent
from quasar_core.contracts.reports import Manifest
from quasar_core.domain.rounds import RoundSettings
from quasar_core.domain.seeds import seed_commitment
from quasar_core.domain.submissions import Status
from quasar_core.errors import Stage
from quasar_core.telemetry.logs import get_logger
from quasar_core.telemetry.metrics import ATTEMPTS
from sqlalchemy.orm import Session

from services.api.attempts import repository as attempts
from services.api.attempts.endings import give_up
from services.api.attempts.repository import LIVE, Job, State
from services.api.challenges import repository as challenges
from services.api.db.models import Attempt, Round, Submission
from services.api.recording.verdicts import ReportRefused, check_harness
from services.api.rounds import repository as rounds
from services.api.submissions.moves import move, tell_stage

log = get_logger("api.recorder")

ENDED_WELL = (State.COMPLETED, State.REJECTED)


@dataclass(frozen=True)
class Scene:
    """One message with the rows that it speaks of, locked."""

    session: Session
    submission: Submission
    attempt: Attempt
    actor: str
    now: datetime
    lease_seconds: float
    backoff_seconds: float

    @property
    def job(self) -> Job:
        """What the attempt is for."""
        return Job(self.attempt.kind)

    @property
    def live(self) -> bool:
        """Whether the attempt is still going on."""
        return self.attempt.state in LIVE

    @cached_property
    def round(self) -> Round:
        """The submission's round, read once; what was changed can wait."""
        with self.session.no_autoflush:
            row = rounds.by_number(self.session, self.submission.round_number)
        assert row is not None  # noqa: S101 -- a foreign key says so
        return row

    @cached_property
    def settings(self) -> RoundSettings:
        """The frozen settings of the submission's round."""
        return RoundSettings.from_dict(self.round.settings)

    def move(self, to: Status, evidence: Mapping[str, Any]) -> None:
        """Move the submission, told by this worker."""
        move(
            self.session,
            self.submission,
            to,
            actor=self.actor,
            now=self.now,
            evidence={**evidence, "attempt": self.attempt.number},
        )

    def tell_stage(self, stage: Stage, evidence: Mapping[str, Any]) -> None:
        """Note in the log what the worker says of a stage."""
        tell_stage(
            self.session,
            self.submission,
            stage,
            actor=self.actor,
            now=self.now,
            evidence={**evidence, "attempt": self.attempt.number},
        )


def scene_of(
    session: Session,
    event: WorkerEvent,
    *,
    now: datetime,
    lease_seconds: float,
    backoff_seconds: float,
) -> Scene | None:
    """The rows of a message, or None where its token opens nothing.

    The token is the attempt's own secret, and the attempt is the worker's
    who started it.
    """
    found = attempts.locked(session, event.attempt_id)
    if found is None:
        return _stale(event, "there is no such attempt")
    submission, attempt = found
    token_fits = hmac.compare_digest(
        attempt.fencing_token, event.fencing_token
    )
    if submission.id != event.submission_id or not token_fits:
        return _stale(event, "the token is not this attempt's")
    if attempt.state not in (*LIVE, *ENDED_WELL):
        return _stale(event, f"the attempt is {attempt.state}")
    if attempt.worker not in (None, event.worker):
        return _stale(event, f"the attempt is {attempt.worker}'s")
    return Scene(
        session=session,
        submission=submission,
        attempt=attempt,
        actor=f"worker:{event.worker}",
        now=now,
        lease_seconds=lease_seconds,
        backoff_seconds=backoff_seconds,
    )


def _stale(event: WorkerEvent, why: str) -> None:
    ATTEMPTS.labels("any", "stale").inc()
    log.warning(
        "message.stale",
        event_name=event.event_name,
        worker=event.worker,
        submission_id=str(event.submission_id),
        attempt_id=str(event.attempt_id),
        why=why,
    )


def begin(scene: Scene, event: WorkerEvent) -> None:
    """The worker has the job: the lease begins, or is renewed.

    Whatever a worker says of a live attempt implies that it has begun.
    """
    attempt = scene.attempt
    worker = event.worker
    attempt.lease_until = scene.now + timedelta(seconds=scene.lease_seconds)
    if attempt.state == State.STARTED:
        return
    attempt.state = State.STARTED
    attempt.worker = worker
    attempt.started_at = scene.now
    evidence: dict[str, Any] = {"worker": worker}
    if isinstance(event, AttemptStarted):
        attempt.seed_commitment = event.seed_commitment
        evidence["seed_commitment"] = event.seed_commitment
    if scene.job is Job.BENCHMARK:
        scene.move(Status.BENCHMARKING, evidence)
    elif scene.job is Job.VERIFICATION:
        scene.submission.stage = Stage.LOGITS
        scene.submission.updated_at = scene.now
        scene.tell_stage(Stage.LOGITS, {**evidence, "state": "began"})
    elif attempt.challenge_id is not None:
        row = challenges.locked(scene.session, attempt.challenge_id)
        challenges.tell(
            scene.session,
            row,
            "running",
            {**evidence, "attempt": attempt.number},
            actor=scene.actor,
            now=scene.now,
        )


def started(scene: Scene, event: AttemptStarted) -> None:
    """What binds the run to its seed is noted once, and never changed.

    `begin` has done it, unless another message came first.
    """
    if scene.attempt.seed_commitment is None:
        scene.attempt.seed_commitment = event.seed_commitment
        scene.tell_stage(
            Stage(scene.submission.stage or Stage.FETCH),
            {"state": "began", "seed_commitment": event.seed_commitment},
        )


def check_judge(scene: Scene, manifest: Manifest) -> None:
    """Raise ReportRefused unless the round's own judge was at work.

    And by the seed that its worker had committed to before it ran anything.
    """
    committed = scene.attempt.seed_commitment
    if manifest.seed is None or not (
        committed == manifest.seed_commitment == seed_commitment(manifest.seed)
    ):
        raise ReportRefused("the seed is not the one that was committed to")
    row = scene.round
    if row.harness_digest is None:
        # another's first result may decide it meanwhile
        rounds.locked(scene.session, row.number)
    decided = row.harness_digest or manifest.harness_digest
    check_harness(manifest, scene.settings, decided)


def settle_judge(scene: Scene, manifest: Manifest) -> None:
    """The first result that is accepted decides the round's digest.

    `check_judge` keeps the round from others until then.
    """
    if scene.round.harness_digest is None:
        scene.round.harness_digest = manifest.harness_digest


def start_over(
    scene: Scene,
    reason: str,
    state: State = State.FAILED,
    stage: Stage | None = None,
) -> None:
    """The attempt came to nothing, by no known fault of the submission."""
    give_up(
        scene.session,
        scene.submission,
        scene.attempt,
        state,
        reason=reason,
        actor=scene.actor,
        now=scene.now,
        backoff_seconds=scene.backoff_seconds,
        stage=stage,
    )
