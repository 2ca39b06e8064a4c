"""Events to send: whole, valid, and each a little different."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from quasar_core.contracts.events import (
    AttemptStarted,
    BenchmarkRequested,
    CanaryCompleted,
    ChallengeRequested,
    Contender,
    VerificationRequested,
    WorkerSeen,
)
from quasar_core.contracts.reports import (
    ChallengeReport,
    ChallengeSide,
    ChallengeTiming,
    CorrectnessReport,
    JudgeReport,
    LogitsReport,
    Manifest,
    PromptLogits,
    Rejection,
    Source,
    SourceFile,
    Timing,
)
from quasar_core.domain.canaries import EXPECTED, Canary

TOKEN = "ab" * 16


def a_source() -> Source:
    """A source of one file."""
    return Source(
        files=(SourceFile(name="chunk.py", text="x = 1\n"),),
        identity="1" * 64,
        tree_hash="2" * 64,
    )


def a_manifest() -> Manifest:
    """A manifest as a judge writes it."""
    return Manifest(
        run_id="run",
        harness_digest="3" * 64,
        profile="cpu",
        seed_commitment="4" * 64,
        seed="5" * 64,
        sandbox="fake",
        isolation={"no_network": True},
        environment={"python": "3.11"},
    )


def a_timing() -> Timing:
    """The samples of a timed stage."""
    return Timing(
        sequence_length=512,
        samples=(0.1, 0.1, 0.1),
        baseline_samples=(0.2, 0.2, 0.2),
        back_to_back=0.1,
        back_to_back_calls=16,
        rest=0.01,
        overhead=0.0001,
    )


def a_pass() -> JudgeReport:
    """The report of a kernel that is right."""
    return JudgeReport(
        manifest=a_manifest(),
        correctness=CorrectnessReport(
            checks=6, worst_row_error=1e-6, worst_family="plain", bound=1e-4
        ),
        timing=a_timing(),
    )


def a_challenge() -> ChallengeReport:
    """The report of two kernels that were run in turns."""
    side = ChallengeSide(
        sequence_length=512,
        samples=(0.1,) * 8,
        back_to_back=0.1,
        back_to_back_calls=16,
        rest=0.01,
        overhead=0.0001,
    )
    return ChallengeReport(
        manifest=a_manifest(),
        timing=ChallengeTiming(blocks=8, challenger=side, defender=side),
    )


def a_rejection(rejection: Rejection) -> JudgeReport:
    """The report of a kernel that was turned down."""
    return JudgeReport(manifest=a_manifest(), rejection=rejection)


def a_logits_report() -> LogitsReport:
    """A report of logits that agree."""
    return LogitsReport(
        model="stand-in",
        model_digest="6" * 64,
        stand_in=True,
        replaced_layers=(1, 2),
        prompts=(
            PromptLogits(
                tokens=128,
                positions=16,
                worst_cosine_sim=0.9999,
                worst_max_diff=0.001,
                top1_agreement=1.0,
                mean_kl_divergence=0.0,
            ),
        ),
    )


def _attempt() -> dict[str, Any]:
    return {
        "event_id": uuid.uuid4(),
        "occurred_at": datetime.now(UTC),
        "submission_id": uuid.uuid4(),
        "attempt_id": uuid.uuid4(),
        "fencing_token": TOKEN,
    }


def benchmark_requested(**changes: Any) -> BenchmarkRequested:
    """A job for a benchmark worker."""
    fields = {
        **_attempt(),
        "round_number": 1,
        "attempt_number": 1,
        "fork_url": "https://github.com/miner/fork",
        "commit_hash": "a" * 40,
        "sequence_length": 512,
    }
    return BenchmarkRequested(**(fields | changes))


def challenge_requested(**changes: Any) -> ChallengeRequested:
    """Two archived sources to be run once more."""
    contender = Contender(source=a_source(), sequence_length=512)
    fields = {
        **_attempt(),
        "round_number": 1,
        "attempt_number": 1,
        "challenger": contender,
        "defender": contender,
    }
    return ChallengeRequested(**(fields | changes))


def verification_requested(**changes: Any) -> VerificationRequested:
    """A job for a verifier worker."""
    fields = {
        **_attempt(),
        "round_number": 1,
        "attempt_number": 1,
        "source": a_source(),
        "cosine_sim_threshold": 0.99,
        "max_diff_threshold": 0.1,
    }
    return VerificationRequested(**(fields | changes))


def attempt_started(worker: str = "worker-1") -> AttemptStarted:
    """A fact about an attempt."""
    return AttemptStarted(
        **_attempt(), worker=worker, seed_commitment="4" * 64
    )


def canary_completed(
    worker: str = "worker-1",
    canary: Canary = Canary.HONEST,
    got: str = "passed",
    role: str = "benchmark",
) -> CanaryCompleted:
    """A known submission was judged."""
    return CanaryCompleted(
        event_id=uuid.uuid4(),
        occurred_at=datetime.now(UTC),
        worker=worker,
        pool="cpu",
        role=role,
        canary=canary,
        got=got,
        harness_digest="3" * 64,
        seconds=1.5,
    )


def right_canaries(
    worker: str = "worker-1", role: str = "benchmark"
) -> list[CanaryCompleted]:
    """Every canary of a worker, each with its verdict."""
    return [
        canary_completed(worker, canary, got, role)
        for canary, got in EXPECTED[role].items()
    ]


def worker_seen(
    worker: str = "worker-1", role: str = "benchmark"
) -> WorkerSeen:
    """A fact about a worker."""
    return WorkerSeen(
        event_id=uuid.uuid4(),
        occurred_at=datetime.now(UTC),
        worker=worker,
        pool="cpu",
        role=role,
        environment={},
    )
