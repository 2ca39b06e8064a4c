"""A judge that judges nothing: it waits, and says that all is well.

For measuring the platform around the judge, and for breaking it: a worker
with these tools is a real one in all but its verdicts. Its reports bear a
harness digest of their own, so no round that a real judge has begun takes
one.
"""

from __future__ import annotations

import hashlib
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from quasar_core.contracts.events import (
    BaselineMeasured,
    BenchmarkRequested,
    CanaryVerdict,
    ChallengeRequested,
    VerificationRequested,
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
    Source,
    SourceFile,
    Timing,
)
from quasar_core.domain.canaries import EXPECTED, PASSED, Canary
from quasar_core.domain.identity import identity
from quasar_core.domain.seeds import seed_commitment
from quasar_core.domain.sources import tree_hash
from quasar_core.domain.tolerance import CPU_ROW_ERROR_BOUND
from quasar_core.domain.workload import Profile, judged_length
from quasar_core.errors import RejectionCode, Stage
from quasar_core.judge.progress import told
from quasar_core.worker.attempt import Attempt, new_id
from quasar_core.worker.canaries import Examine

NAME = "none: a judge that waits"
HARNESS = hashlib.sha256(b"quasar/a-judge-that-waits").hexdigest()
SAMPLES = 8
BACK_TO_BACK = 16
BASELINE_SECONDS = 10.0

Sleep = Callable[[float], None]


@dataclass(frozen=True)
class WaitingJudge:
    """The tools of a benchmark worker and of a verifier, without judging.

    A judging waits `seconds`: in one go, or in each of the `stages` its
    share, which it then tells of as a judge does. A commit that begins with
    `poison` kills the process that fetches it, with SIGKILL.
    """

    worker: str
    pool: str
    seconds: float
    stages: tuple[Stage, ...] = ()
    sleep: Sleep = time.sleep
    poison: str = ""

    def fetch(self, fork_url: str, commit_hash: str) -> Source:
        """A source of one short file, another for each commit."""
        if self.poison and commit_hash.startswith(self.poison):
            os.kill(os.getpid(), signal.SIGKILL)
        files = {"chunk.py": f"COMMIT = {f'{fork_url}@{commit_hash}'!r}\n"}
        return Source(
            files=tuple(SourceFile(name=n, text=t) for n, t in files.items()),
            identity=identity(files),
            tree_hash=tree_hash(files),
        )

    def measure(
        self, round_number: int, sequence_length: int
    ) -> BaselineMeasured:
        """What a baseline would look like."""
        return BaselineMeasured(
            event_id=new_id(),
            occurred_at=datetime.now(UTC),
            worker=self.worker,
            pool=self.pool,
            round_number=round_number,
            sequence_length=judged_length(sequence_length),
            samples=(BASELINE_SECONDS,) * SAMPLES,
            environment={"judge": NAME},
        )

    def judge(
        self, job: BenchmarkRequested, source: Source, attempt: Attempt
    ) -> JudgeReport:
        """Wait; then everything was right, and took as long as the wait."""
        del source
        if not self.stages:
            self.sleep(self.seconds)
        for stage in self.stages:
            with told(stage, attempt.follow):
                self.sleep(self.seconds / len(self.stages))
        return JudgeReport(
            manifest=manifest(str(job.attempt_id), attempt.seed),
            correctness=CorrectnessReport(
                checks=1,
                worst_row_error=0.0,
                worst_family="none",
                bound=CPU_ROW_ERROR_BOUND,
            ),
            timing=Timing(
                baseline_samples=(BASELINE_SECONDS,) * SAMPLES,
                **self._figures(job.sequence_length),
            ),
        )

    def race(
        self, job: ChallengeRequested, attempt: Attempt
    ) -> ChallengeReport:
        """Wait; then both were as fast as each other."""
        self.sleep(self.seconds)
        return ChallengeReport(
            manifest=manifest(str(job.attempt_id), attempt.seed),
            timing=ChallengeTiming(
                blocks=SAMPLES,
                challenger=ChallengeSide(
                    **self._figures(job.challenger.sequence_length)
                ),
                defender=ChallengeSide(
                    **self._figures(job.defender.sequence_length)
                ),
            ),
        )

    def _figures(self, sequence_length: int) -> dict[str, Any]:
        """What a kernel that takes as long as the wait is measured at."""
        taken = max(self.seconds, 0.001)
        return {
            "sequence_length": judged_length(sequence_length),
            "samples": (taken,) * SAMPLES,
            "back_to_back": taken,
            "back_to_back_calls": BACK_TO_BACK,
            "rest": 0.0,
            "overhead": 0.0,
        }

    def verify(
        self, job: VerificationRequested, attempt: Attempt
    ) -> tuple[Manifest, LogitsReport | None, None]:
        """Wait; then the logits were the same."""
        self.sleep(self.seconds)
        same = PromptLogits(
            tokens=1,
            positions=1,
            worst_cosine_sim=1.0,
            worst_max_diff=0.0,
            top1_agreement=1.0,
            mean_kl_divergence=0.0,
        )
        logits = LogitsReport(
            model=NAME,
            model_digest=HARNESS,
            stand_in=True,
            replaced_layers=(),
            prompts=(same,),
        )
        return manifest(str(job.attempt_id), attempt.seed), logits, None


def all_is_well(role: str) -> Examine:
    """What says of every canary what is expected of it."""

    def examine(canary: Canary) -> CanaryVerdict:
        expected = EXPECTED[role][canary]
        return "passed" if expected == PASSED else RejectionCode(expected)

    return examine


def manifest(run_id: str, seed: str) -> Manifest:
    """A manifest that says who was at work: nobody."""
    return Manifest(
        run_id=run_id,
        harness_digest=HARNESS,
        profile=Profile.CPU,
        seed_commitment=seed_commitment(seed),
        seed=seed,
        sandbox=NAME,
        isolation={},
        environment={"judge": NAME},
    )
