"""Judging an archived source again: the workers' judge, sandbox and bounds."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

from quasar_core.contracts.http import RoundView
from quasar_core.contracts.reports import Source
from quasar_core.domain.audits import Rejudged
from quasar_core.domain.tolerance import (
    DEFAULT_COSINE_SIM_THRESHOLD,
    DEFAULT_MAX_DIFF_THRESHOLD,
)
from quasar_core.errors import QuasarError
from quasar_core.judge.harness import harness_digest
from quasar_core.judge.jobs import JudgeSpec, SandboxChoice, VerifySpec
from quasar_core.judge.progress import Progress
from quasar_core.judge.settings import JudgeSettings
from quasar_core.judge.spawn import judge_in_subprocess, verify_in_subprocess


class AnotherJudge(QuasarError):
    """The round was judged by other code than this release's."""


def check_harness(current: RoundView) -> None:
    """Raise AnotherJudge unless this release is the round's own judge."""
    here, there = harness_digest(), current.harness_digest
    if there is not None and there != here:
        raise AnotherJudge(
            f"round {current.round_number} was judged by harness"
            f" {there[:12]}, this release is {here[:12]}: audit it with the"
            " release of that round, or with --any-harness"
        )


@dataclass(frozen=True)
class Rejudge:
    """The judge with this machine's settings; one job at a time.

    `verifying` is None where the logits are not to be checked again.
    """

    judging: JudgeSettings
    verifying: JudgeSettings | None
    sandbox: SandboxChoice

    def __call__(
        self, source: Source, sequence_length: int, current: RoundView
    ) -> Rejudged:
        """Judge and verify; TransientError for the world's faults.

        Raises SandboxUnavailable where strangers' code cannot be run.
        """
        report = judge_in_subprocess(
            JudgeSpec(
                run_id=_name(),
                source=source,
                target_sequence_length=sequence_length,
                settings=self.judging,
                sandbox=self.sandbox,
            ),
            _unheard,
        )
        if report.rejection is not None:
            return Rejudged(rejection=report.rejection.code.value)
        rejection = self._logits(source, current)
        if rejection is not None or report.timing is None:
            return Rejudged(rejection=rejection)
        score = report.timing.derived()
        return Rejudged(
            tokens_per_sec=score.tokens_per_sec,
            speedup_vs_baseline=score.speedup_vs_baseline,
        )

    def _logits(self, source: Source, current: RoundView) -> str | None:
        if self.verifying is None:
            return None
        frozen = current.settings
        report = verify_in_subprocess(
            VerifySpec(
                run_id=_name(),
                source=source,
                cosine_sim_threshold=float(
                    frozen.get(
                        "cosine_sim_threshold", DEFAULT_COSINE_SIM_THRESHOLD
                    )
                ),
                max_diff_threshold=float(
                    frozen.get(
                        "max_diff_threshold", DEFAULT_MAX_DIFF_THRESHOLD
                    )
                ),
                settings=self.verifying,
                sandbox=self.sandbox,
            ),
            _unheard,
        )
        return report.rejection and report.rejection.code.value


def _name() -> str:
    return f"audit-{uuid4().hex}"


def _unheard(_: Progress) -> None:
    """Nobody follows a single stage."""
