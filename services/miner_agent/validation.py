"""Judging one's own fork: the workers' judge, verdicts and codes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from quasar_core.contracts.reports import (
    JudgeReport,
    Rejection,
    Source,
)
from quasar_core.domain.leagues import DEFAULT_MAX_SEQUENCE_LENGTH
from quasar_core.domain.scores import DerivedScore
from quasar_core.errors import (
    REJECTION_SENTENCES,
    QuasarError,
    RejectionCode,
    Stage,
    SubmissionFault,
)
from quasar_core.execution.local_source import local_source
from quasar_core.judge.jobs import (
    JudgeSpec,
    SandboxChoice,
    VerifySpec,
)
from quasar_core.judge.progress import Listener, told
from quasar_core.judge.replay import RunRecord
from quasar_core.judge.settings import JudgeSettings
from quasar_core.judge.spawn import judge_in_subprocess, verify_in_subprocess

from services.miner_agent.explain import explained_rejection, scored

DETAIL_LIMIT = 1_000
OWN_FORK = SandboxChoice(allow_degraded=True)
"""Limits by rlimits alone will do for code that its owner runs himself."""


class NothingToValidate(QuasarError):
    """What was asked for cannot be judged; the text says what can."""


@dataclass(frozen=True)
class Validation:
    """What the workers would say of this source at this length.

    Accepted unless there is a `rejection`; then `score` holds what this
    machine measured.
    """

    sequence_length: int
    rejection: Rejection | None = None
    score: DerivedScore | None = None
    source: Source | None = None
    report: JudgeReport | None = None

    @property
    def accepted(self) -> bool:
        """Whether the workers would score it."""
        return self.rejection is None

    @property
    def record(self) -> RunRecord | None:
        """What `quasar worker replay` runs again; None if nothing ran."""
        if self.source is None or self.report is None:
            return None
        return RunRecord(
            target_sequence_length=self.sequence_length,
            source=self.source,
            report=self.report,
        )

    def as_dict(self) -> dict[str, Any]:
        """For machines: plain values."""
        value: dict[str, Any] = {
            "accepted": self.accepted,
            "sequence_length": self.sequence_length,
            "code": None,
            "identity": self.source.identity if self.source else None,
            "tree_hash": self.source.tree_hash if self.source else None,
        }
        if self.rejection is not None:
            value |= self.rejection.model_dump(mode="json")
            value["sentence"] = REJECTION_SENTENCES[self.rejection.code]
        if self.score is not None:
            value |= {
                "tokens_per_sec": self.score.tokens_per_sec,
                "tokens_per_sec_low": self.score.low,
                "tokens_per_sec_high": self.score.high,
                "speedup_vs_baseline": self.score.speedup_vs_baseline,
            }
        return value

    def as_lines(self) -> list[str]:
        """For people."""
        if self.rejection is not None:
            return explained_rejection(self.rejection)
        lines = ["accepted: this is right, and the workers would score it"]
        if self.score is not None:
            speed = scored(
                self.score.tokens_per_sec, self.score.low, self.score.high
            )
            speedup = f"{self.score.speedup_vs_baseline:.2f} x the baseline"
            lines.append(f"on this machine: {speed}, {speedup}")
        return lines


def validate_repository(
    repo_path: Path,
    sequence_length: int,
    *,
    settings: JudgeSettings,
    working_tree: bool,
    with_logits: bool,
    on_progress: Listener,
) -> Validation:
    """Fetch, screen, judge and verify a repository of one's own.

    Raises NothingToValidate for what is no repository or no length,
    TransientError and SandboxUnavailable where this machine cannot judge.
    """
    if not 1 <= sequence_length <= DEFAULT_MAX_SEQUENCE_LENGTH:
        raise NothingToValidate(
            f"a sequence has 1 to {DEFAULT_MAX_SEQUENCE_LENGTH} tokens, not"
            f" {sequence_length}"
        )
    if not repo_path.is_dir():
        raise NothingToValidate(f"there is no folder {repo_path}")
    try:
        with told(Stage.FETCH, on_progress):
            source = local_source(repo_path, None if working_tree else "HEAD")
    except SubmissionFault as fault:
        if fault.code is RejectionCode.FORK_UNREACHABLE:
            raise NothingToValidate(
                f"{repo_path} is no git repository: name another with"
                " --repo-path, or judge the files in it with --working-tree"
            ) from fault
        return Validation(sequence_length, rejection=_rejection(fault))
    return validate_source(
        source,
        sequence_length,
        settings=settings,
        with_logits=with_logits,
        on_progress=on_progress,
    )


def validate_source(
    source: Source,
    sequence_length: int,
    *,
    settings: JudgeSettings,
    with_logits: bool,
    on_progress: Listener,
) -> Validation:
    """Judge and verify these files; raises as `validate_repository`."""
    judged = judge_in_subprocess(
        JudgeSpec(
            run_id=uuid4().hex,
            source=source,
            target_sequence_length=sequence_length,
            settings=settings,
            sandbox=OWN_FORK,
        ),
        on_progress,
    )
    if judged.rejection is not None or judged.timing is None:
        return Validation(
            sequence_length, judged.rejection, source=source, report=judged
        )
    rejection = None
    if with_logits:
        rejection = verified_source(source, settings, on_progress)
    return Validation(
        sequence_length,
        rejection=rejection,
        score=judged.timing.derived(),
        source=source,
        report=judged,
    )


def verified_source(
    source: Source, settings: JudgeSettings, on_progress: Listener
) -> Rejection | None:
    """What the verifier has against these files, if anything.

    Raises TransientError and SandboxUnavailable where this machine cannot
    verify.
    """
    spec = VerifySpec(
        run_id=uuid4().hex,
        source=source,
        settings=settings,
        sandbox=OWN_FORK,
    )
    return verify_in_subprocess(spec, on_progress).rejection


def _rejection(fault: SubmissionFault) -> Rejection:
    return Rejection(
        code=fault.code,
        stage=fault.stage,
        detail=fault.detail[:DETAIL_LIMIT],
        evidence=dict(fault.evidence),
    )
