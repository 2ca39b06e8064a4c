"""How far two kernels' logits are apart, and what that deserves."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch.nn import functional

from quasar_core.contracts.reports import LogitsReport, Rejection
from quasar_core.domain.tolerance import (
    DEFAULT_COSINE_SIM_THRESHOLD,
    DEFAULT_MAX_DIFF_THRESHOLD,
    Breach,
    logits_breach,
    noise_is_small,
)
from quasar_core.errors import Stage


@dataclass(frozen=True)
class Thresholds:
    """What the worst captured position may show."""

    cosine_sim: float = DEFAULT_COSINE_SIM_THRESHOLD
    max_diff: float = DEFAULT_MAX_DIFF_THRESHOLD

    def breach(self, cosine_sim: float, max_diff: float) -> Breach | None:
        """The threshold that is passed, if any."""
        return logits_breach(
            cosine_sim, max_diff, self.cosine_sim, self.max_diff
        )

    def allow_noise(self, cosine_sim: float, max_diff: float) -> bool:
        """Whether two honest kernels may differ by this much."""
        return noise_is_small(
            cosine_sim, max_diff, self.cosine_sim, self.max_diff
        )


@dataclass(frozen=True)
class LogitDifference:
    """Two kernels' logits compared; the first two at the worst position."""

    cosine_sim: float
    max_diff: float
    top1_agreement: float
    mean_kl_divergence: float


def compare_logits(
    honest: torch.Tensor, other: torch.Tensor
) -> LogitDifference:
    """Two sets of logits `[P, vocabulary]`; NaN anywhere shows as NaN."""
    a, b = honest.double(), other.double()
    similarity = functional.cosine_similarity(a, b, dim=-1)
    divergence = functional.kl_div(
        b.log_softmax(-1), a.log_softmax(-1), log_target=True, reduction="sum"
    )
    agreement = (a.argmax(-1) == b.argmax(-1)).double().mean()
    return LogitDifference(
        cosine_sim=_least(similarity),
        max_diff=float((a - b).abs().max()),
        top1_agreement=float(agreement),
        mean_kl_divergence=float(divergence / len(a)),
    )


def _least(values: torch.Tensor) -> float:
    least = float(values.min())
    return least if math.isnan(least) else max(-1.0, min(1.0, least))


def verdict(report: LogitsReport, thresholds: Thresholds) -> Rejection | None:
    """The rejection that these logits deserve, if any; the worst decides."""
    for prompt in report.prompts:
        breach = thresholds.breach(
            prompt.worst_cosine_sim, prompt.worst_max_diff
        )
        if breach is not None:
            return Rejection(
                code=breach.code,
                stage=Stage.LOGITS,
                detail=(
                    f"{breach.measure} is {breach.value:.4g} on a prompt of"
                    f" {prompt.tokens} tokens; the threshold is"
                    f" {breach.bound:.4g}"
                ),
                evidence={
                    "measure": breach.measure,
                    "value": breach.value,
                    "threshold": breach.bound,
                    "tokens": prompt.tokens,
                },
            )
    return None
