"""Verdicts: derived again from what was reported, never taken over."""

from __future__ import annotations

from quasar_core.contracts.reports import (
    CorrectnessReport,
    LogitsReport,
    Manifest,
    Rejection,
    Score,
    Timing,
)
from quasar_core.domain import scores
from quasar_core.domain.physics import too_fast
from quasar_core.domain.rounds import RoundSettings
from quasar_core.domain.tolerance import (
    CPU_ROW_ERROR_BOUND,
    SHARE_BOUND,
    Breach,
    logits_breach,
)
from quasar_core.domain.workload import Profile, Workload, judged_length
from quasar_core.errors import QuasarError, RejectionCode, Stage


class ReportRefused(QuasarError):
    """A report that does not fit its job: no verdict, another attempt."""


def check_harness(
    manifest: Manifest, settings: RoundSettings, harness_digest: str
) -> None:
    """Raise ReportRefused where another judge, or profile, was at work."""
    if manifest.profile != settings.profile:
        raise ReportRefused(
            f"judged by profile {manifest.profile}, and the round's is"
            f" {settings.profile}"
        )
    if manifest.harness_digest != harness_digest:
        raise ReportRefused(
            f"judged by harness {manifest.harness_digest[:12]}, and the"
            f" round's is {harness_digest[:12]}"
        )


def score_of(timing: Timing, target_sequence_length: int) -> Score:
    """The score that the samples amount to.

    Raises ReportRefused for samples of another length, or of no clock.
    """
    if timing.sequence_length != judged_length(target_sequence_length):
        raise ReportRefused(
            f"timed at {timing.sequence_length} tokens, asked for"
            f" {judged_length(target_sequence_length)}"
        )
    try:
        derived = timing.derived()
    except ValueError as fault:
        raise ReportRefused(f"no score comes of it: {fault}") from fault
    return Score(
        tokens_per_sec=derived.tokens_per_sec,
        tokens_per_sec_low=derived.low,
        tokens_per_sec_high=derived.high,
        speedup_vs_baseline=derived.speedup_vs_baseline,
    )


def check_drift(timing: Timing, settings: RoundSettings) -> None:
    """Raise ReportRefused where the machine was not the same throughout.

    The baseline's own blocks say so: noise is never the submission's fault.
    """
    bound = Profile(settings.profile).drift_bound
    found = scores.drift(timing.baseline_samples)
    if bound is not None and found > bound:
        raise ReportRefused(
            f"the trusted kernel drifted by {found:.1%} during the run"
        )


def is_impossible(timing: Timing, manifest: Manifest) -> bool:
    """Whether a sample is below what the GPU of the manifest allows."""
    return too_fast(
        (*timing.samples, timing.back_to_back),
        manifest.environment.get("gpu_name", ""),
        Workload(timing.sequence_length),
    )


def correctness_fault(
    report: CorrectnessReport, settings: RoundSettings
) -> Rejection | None:
    """The rejection that the reported errors amount to, if any.

    On a CPU they are row errors; on a GPU shares of what the trusted
    kernel's own errors allow. Raises ReportRefused where a worker brings a
    bound of its own.
    """
    on_gpu = Profile(settings.profile) is Profile.GPU
    bound = SHARE_BOUND if on_gpu else CPU_ROW_ERROR_BOUND
    if report.bound != bound:
        raise ReportRefused(
            f"judged by the bound {report.bound}, and the rules' is {bound}"
        )
    if report.worst_row_error <= report.bound:
        return None
    return Rejection(
        code=RejectionCode.OUTPUT_MISMATCH,
        stage=Stage.CORRECTNESS,
        evidence={
            "family": report.worst_family,
            "error": report.worst_row_error,
            "bound": report.bound,
        },
    )


def logits_fault(
    report: LogitsReport, settings: RoundSettings
) -> Rejection | None:
    """The rejection that the reported logits amount to, if any."""
    for number, prompt in enumerate(report.prompts):
        breach = logits_breach(
            prompt.worst_cosine_sim,
            prompt.worst_max_diff,
            settings.cosine_sim_threshold,
            settings.max_diff_threshold,
        )
        if breach is not None:
            return _logits_rejection(number, breach)
    return None


def _logits_rejection(prompt: int, breach: Breach) -> Rejection:
    return Rejection(
        code=breach.code,
        stage=Stage.LOGITS,
        evidence={
            "prompt": prompt,
            "measure": breach.measure,
            "value": breach.value,
            "bound": breach.bound,
        },
    )
