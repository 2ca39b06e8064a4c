"""Judging again: what is asked of the judge, and what its answers become."""

from __future__ import annotations

import pytest
from quasar_core.contracts.reports import JudgeReport, Rejection
from quasar_core.domain.audits import Rejudged
from quasar_core.errors import RejectionCode, Stage
from quasar_core.judge.harness import harness_digest
from quasar_core.judge.jobs import SandboxChoice, VerifyReport
from quasar_core.judge.settings import JudgeSettings

from deploy.local import rejudge
from deploy.local.rejudge import AnotherJudge, Rejudge, check_harness
from tests.support.api_server import round_view
from tests.support.judged import a_manifest, a_source, a_timing

ROUND = round_view(
    settings={"cosine_sim_threshold": 0.9, "max_diff_threshold": 0.5}
)
STRICT = SandboxChoice(backend="bubblewrap")
TIMING = a_timing(512, 0.5)
DEFAULT = JudgeSettings()


def rejection(code: RejectionCode, stage: Stage) -> Rejection:
    return Rejection(code=code, stage=stage)


@pytest.fixture
def asked(monkeypatch):
    """The judge's answers, to be changed, and what it was asked."""

    class Asked:
        judged = JudgeReport(manifest=a_manifest(), timing=TIMING)
        verified = VerifyReport(manifest=a_manifest())
        specs: list = []

    asked = Asked()
    asked.specs = []

    def judge(spec, _):
        asked.specs.append(spec)
        return asked.judged

    def verify(spec, _):
        asked.specs.append(spec)
        return asked.verified

    monkeypatch.setattr(rejudge, "judge_in_subprocess", judge)
    monkeypatch.setattr(rejudge, "verify_in_subprocess", verify)
    return asked


def judge_it(verifying: JudgeSettings | None = DEFAULT) -> Rejudged:
    judge = Rejudge(JudgeSettings(samples=4), verifying, STRICT)
    return judge(a_source(), 640, ROUND)


def test_both_checks_are_asked_for_as_the_round_has_them(asked):
    assert judge_it() == Rejudged(
        tokens_per_sec=1_024.0, speedup_vs_baseline=4.0
    )

    judged, verified = asked.specs
    assert (judged.target_sequence_length, judged.settings.samples) == (640, 4)
    assert (verified.cosine_sim_threshold, verified.max_diff_threshold) == (
        0.9,
        0.5,
    )
    assert judged.sandbox == verified.sandbox == STRICT


def test_the_logits_may_be_left_out(asked):
    assert judge_it(None).rejection is None
    assert len(asked.specs) == 1


def test_a_rejection_by_the_judge_ends_it(asked):
    asked.judged = JudgeReport(
        manifest=a_manifest(),
        rejection=rejection(RejectionCode.OUTPUT_MISMATCH, Stage.CORRECTNESS),
    )

    assert judge_it() == Rejudged(rejection="output_mismatch")
    assert len(asked.specs) == 1


def test_a_rejection_by_the_logits_is_one_as_well(asked):
    asked.verified = VerifyReport(
        manifest=a_manifest(),
        rejection=rejection(RejectionCode.LOGITS_DIFFER, Stage.LOGITS),
    )

    assert judge_it() == Rejudged(rejection="logits_differ")


def test_a_report_without_a_timing_measured_nothing(asked):
    asked.judged = JudgeReport(manifest=a_manifest())

    assert judge_it() == Rejudged()


@pytest.mark.parametrize("digest", [None, harness_digest()])
def test_a_round_of_this_release_may_be_audited(digest):
    check_harness(round_view(harness_digest=digest))


def test_a_round_of_another_release_is_told_of():
    with pytest.raises(AnotherJudge, match="judged by harness 333333333333"):
        check_harness(round_view(harness_digest="3" * 64))
