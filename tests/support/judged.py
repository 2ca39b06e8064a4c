"""A worker in a few lines: it answers jobs with whole, valid facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID, uuid4

from quasar_core.contracts.events import (
    AttemptEvent,
    AttemptHeartbeat,
    AttemptStarted,
    BenchmarkCompleted,
    ChallengeCompleted,
    ChallengeRequested,
    RunFailed,
    SourceFetched,
    StageCompleted,
    SubmissionRejected,
    VerificationCompleted,
)
from quasar_core.contracts.reports import (
    ChallengeFault,
    ChallengeReport,
    ChallengeSide,
    ChallengeTiming,
    CorrectnessReport,
    LogitsReport,
    Manifest,
    PromptLogits,
    Rejection,
    Source,
    SourceFile,
    Timing,
)
from quasar_core.domain.identity import identity
from quasar_core.domain.seeds import seed_commitment
from quasar_core.domain.sources import tree_hash
from quasar_core.domain.workload import judged_length
from quasar_core.errors import RejectionCode, Stage

from tests.support.api import Moment, World

HARNESS = "3" * 64
SEED = "5" * 64
COMMITMENT = seed_commitment(SEED)


def a_source(text: str = "x = 1\n") -> Source:
    """A source of one file; another text is another identity."""
    files = {"chunk.py": text}
    return Source(
        files=(SourceFile(name="chunk.py", text=text),),
        identity=identity(files),
        tree_hash=tree_hash(files),
    )


def a_manifest(**changes: Any) -> Manifest:
    """A manifest as the round's judge writes it."""
    fields: dict[str, Any] = {
        "run_id": f"run-{uuid4()}",
        "harness_digest": HARNESS,
        "profile": "cpu",
        "seed_commitment": COMMITMENT,
        "seed": SEED,
        "sandbox": "fake",
        "isolation": {"no_network": True},
        "environment": {"python": "3.11"},
    }
    return Manifest(**{**fields, **changes})


def a_timing(length: int, seconds: float, **changes: Any) -> Timing:
    """Samples that amount to length / seconds tokens per second."""
    fields: dict[str, Any] = {
        "sequence_length": length,
        "samples": (seconds,) * 5,
        "baseline_samples": (2.0,) * 5,
        "back_to_back": seconds,
        "back_to_back_calls": 16,
        "rest": 0.0,
        "overhead": 0.0001,
    }
    return Timing(**{**fields, **changes})


def a_side(sequence_length: int, seconds: float) -> ChallengeSide:
    """One of the two of a challenge, as steady as no clock is."""
    return ChallengeSide(
        sequence_length=judged_length(sequence_length),
        samples=(seconds,) * 8,
        back_to_back=seconds,
        back_to_back_calls=16,
        rest=0.0,
        overhead=0.0001,
    )


def some_logits(cosine: float = 0.9999, max_diff: float = 0.01) -> Any:
    """A report of two prompts, the second with these numbers."""
    good = PromptLogits(
        tokens=128,
        positions=16,
        worst_cosine_sim=0.9999,
        worst_max_diff=0.001,
        top1_agreement=1.0,
        mean_kl_divergence=0.0,
    )
    second = good.model_copy(
        update={"worst_cosine_sim": cosine, "worst_max_diff": max_diff}
    )
    return LogitsReport(
        model="stand-in",
        model_digest="6" * 64,
        stand_in=True,
        replaced_layers=(1, 2),
        prompts=(good, second),
    )


@dataclass
class Worker:
    """Tells facts about the jobs that it was given."""

    clock: Moment
    name: str = "worker-1"

    def _about(self, job: AttemptEvent, **changes: Any) -> dict[str, Any]:
        return {
            "event_id": uuid4(),
            "occurred_at": self.clock(),
            "submission_id": job.submission_id,
            "attempt_id": job.attempt_id,
            "fencing_token": job.fencing_token,
            "worker": self.name,
            **changes,
        }

    def started(self, job: AttemptEvent) -> AttemptStarted:
        """The job was taken."""
        return AttemptStarted(**self._about(job), seed_commitment=COMMITMENT)

    def at(self, job: AttemptEvent, stage: Stage) -> AttemptHeartbeat:
        """The worker lives, and is at this stage."""
        return AttemptHeartbeat(**self._about(job), stage=stage)

    def passed(
        self, job: AttemptEvent, stage: Stage, seconds: float = 0.5
    ) -> StageCompleted:
        """A stage was passed."""
        return StageCompleted(
            **self._about(job), stage=stage, seconds=seconds, detail={"n": 1}
        )

    def fetched(
        self, job: AttemptEvent, source: Source | None = None
    ) -> SourceFetched:
        """The kernel files."""
        return SourceFetched(**self._about(job), source=source or a_source())

    def benchmarked(
        self, job: Any, seconds: float = 1.0, **changes: Any
    ) -> BenchmarkCompleted:
        """The kernel is right, and took so many seconds."""
        length = judged_length(job.sequence_length)
        fields: dict[str, Any] = {
            "manifest": a_manifest(),
            "correctness": CorrectnessReport(
                checks=6,
                worst_row_error=1e-6,
                worst_family="plain",
                bound=1e-4,
            ),
            "timing": a_timing(length, seconds),
        }
        return BenchmarkCompleted(**self._about(job), **{**fields, **changes})

    def verified(
        self, job: AttemptEvent, logits: LogitsReport | None = None
    ) -> VerificationCompleted:
        """The logits agree."""
        return VerificationCompleted(
            **self._about(job),
            manifest=a_manifest(),
            logits=logits or some_logits(),
        )

    def challenged(
        self,
        job: ChallengeRequested,
        ratio: float = 2.0,
        fault_of: Literal["challenger", "defender"] | None = None,
        **changes: Any,
    ) -> ChallengeCompleted:
        """Both were run once more: the first `ratio` times as fast."""
        fields: dict[str, Any] = {"manifest": a_manifest()}
        if fault_of is None:
            fields["timing"] = ChallengeTiming(
                blocks=8,
                challenger=a_side(job.challenger.sequence_length, 1 / ratio),
                defender=a_side(job.defender.sequence_length, 1.0),
            )
        else:
            fault = Rejection(
                code=RejectionCode.RUNTIME_ERROR, stage=Stage.TIMED
            )
            fields["fault"] = ChallengeFault(side=fault_of, rejection=fault)
        report = ChallengeReport(**{**fields, **changes})
        return ChallengeCompleted(**self._about(job), report=report)

    def rejected(
        self,
        job: AttemptEvent,
        code: RejectionCode = RejectionCode.OUTPUT_MISMATCH,
        stage: Stage = Stage.CORRECTNESS,
    ) -> SubmissionRejected:
        """The submission is at fault."""
        return SubmissionRejected(
            **self._about(job),
            rejection=Rejection(
                code=code,
                stage=stage,
                detail="row 7",
                evidence={"error": 0.5},
                log_tail="secret of its owner",
            ),
            manifest=a_manifest(),
        )

    def failed(self, job: AttemptEvent) -> RunFailed:
        """The world is at fault."""
        return RunFailed(
            **self._about(job), stage=Stage.FETCH, reason="disk\0full"
        )

    def harmed(self, job: AttemptEvent) -> RunFailed:
        """The machine came to harm while the submission ran on it."""
        return RunFailed(
            **self._about(job),
            stage=Stage.SMOKE,
            reason="the referee was killed by 9",
            harmed=True,
        )


def play(
    world: World,
    name: str,
    seconds: float = 1.0,
    text: str | None = None,
    source: Source | None = None,
    **changes: Any,
) -> UUID:
    """Submit and judge until scored; the submission's id.

    Another miner's source is another one, unless `text` or `source` says
    otherwise.
    """
    submission_id = world.accepted(name, **changes)
    source = source or a_source(text or f"name = {name!r}\n")
    judge(world, submission_id, seconds, source)
    return submission_id


def judge(
    world: World, submission_id: UUID, seconds: float, source: Source
) -> None:
    """Judge the submission that is next until it is scored."""
    worker = Worker(world.clock)
    job = world.take()
    assert job.submission_id == submission_id
    world.record(
        worker.started(job),
        worker.fetched(job, source),
        worker.benchmarked(job, seconds),
    )
    checker = Worker(world.clock, "verifier-1")
    check = world.take("verification")
    world.record(checker.started(check), checker.verified(check))
    assert world.status(submission_id) == "scored"
