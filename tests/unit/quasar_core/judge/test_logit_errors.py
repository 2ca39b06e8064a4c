import math

import pytest
import torch
from quasar_core.contracts.reports import LogitsReport, PromptLogits
from quasar_core.errors import RejectionCode, Stage
from quasar_core.judge.logit_errors import (
    Thresholds,
    compare_logits,
    verdict,
)


def report(*worst):
    return LogitsReport(
        model="m",
        model_digest="0" * 64,
        stand_in=True,
        replaced_layers=(1,),
        prompts=tuple(
            PromptLogits(
                tokens=64,
                positions=1,
                worst_cosine_sim=cosine_sim,
                worst_max_diff=max_diff,
                top1_agreement=1,
                mean_kl_divergence=0,
            )
            for cosine_sim, max_diff in worst
        ),
    )


def test_the_same_logits_do_not_differ():
    logits = torch.randn(3, 50, generator=torch.Generator().manual_seed(1))
    found = compare_logits(logits, logits)
    assert found.cosine_sim == pytest.approx(1)
    assert (found.max_diff, found.top1_agreement) == (0, 1)
    assert found.mean_kl_divergence == pytest.approx(0)


def test_the_worst_position_decides():
    honest = torch.eye(3, 50) * 10
    other = honest.clone()
    other[1] = honest[2]
    found = compare_logits(honest, other)
    assert found.cosine_sim == pytest.approx(0)
    assert found.max_diff == 10
    assert found.top1_agreement == pytest.approx(2 / 3)
    assert found.mean_kl_divergence > 0


def test_nan_shows_as_nan():
    honest = torch.ones(2, 5)
    other = honest.clone()
    other[1, 2] = math.nan
    found = compare_logits(honest, other)
    assert math.isnan(found.cosine_sim)
    assert math.isnan(found.max_diff)
    breach = Thresholds().breach(found.cosine_sim, found.max_diff)
    assert breach.code is RejectionCode.NON_FINITE


def test_logits_that_agree_are_not_rejected():
    assert verdict(report((0.995, 0.05)), Thresholds()) is None
    assert Thresholds().allow_noise(0.9999, 0.01)


@pytest.mark.parametrize(
    ("worst", "measure"),
    [((0.98, 0.05), "cosine_sim"), ((0.9999, 0.11), "max_diff")],
)
def test_either_measure_rejects(worst, measure):
    rejection = verdict(report((1, 0), worst), Thresholds())
    assert rejection.code is RejectionCode.LOGITS_DIFFER
    assert rejection.stage is Stage.LOGITS
    assert rejection.evidence["measure"] == measure
