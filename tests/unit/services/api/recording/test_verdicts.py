from dataclasses import replace

import pytest
from quasar_core.contracts.reports import CorrectnessReport
from quasar_core.domain.rounds import RoundSettings
from quasar_core.errors import RejectionCode, Stage

from services.api.recording.verdicts import (
    ReportRefused,
    check_drift,
    check_harness,
    correctness_fault,
    is_impossible,
    logits_fault,
    score_of,
)
from tests.support.judged import HARNESS, a_manifest, a_timing, some_logits

RULES = RoundSettings()


def test_a_score_is_derived_from_the_samples():
    timing = a_timing(1_024, 0.5, samples=(0.4, 0.5, 0.9), rest=0.5)
    score = score_of(timing, 1_000)
    assert score.tokens_per_sec == pytest.approx(1_024)
    assert score.speedup_vs_baseline == pytest.approx(2.5)
    assert score.tokens_per_sec_low < score.tokens_per_sec


@pytest.mark.parametrize(
    "timing", [a_timing(1_000, 0.5), a_timing(1_024, 5e-324)]
)
def test_samples_that_fit_no_clock_or_length_are_refused(timing):
    with pytest.raises(ReportRefused):
        score_of(timing, 1_000)


def test_a_round_is_judged_by_its_own_judge():
    check_harness(a_manifest(), RULES, HARNESS)
    with pytest.raises(ReportRefused, match="harness"):
        check_harness(a_manifest(), RULES, "0" * 64)
    with pytest.raises(ReportRefused, match="profile"):
        check_harness(a_manifest(profile="gpu"), RULES, HARNESS)


@pytest.mark.parametrize(("error", "passes"), [(1e-4, True), (1.1e-4, False)])
def test_an_error_above_its_bound_is_a_rejection(error, passes):
    report = CorrectnessReport(
        checks=1, worst_row_error=error, worst_family="long", bound=1e-4
    )
    fault = correctness_fault(report, RULES)
    assert (fault is None) is passes
    if fault is not None:
        assert fault.code is RejectionCode.OUTPUT_MISMATCH
        assert fault.evidence["family"] == "long"


@pytest.mark.parametrize(("share", "passes"), [(1.0, True), (1.1, False)])
def test_on_a_gpu_errors_are_shares_of_their_bounds(share, passes):
    rules = replace(RULES, profile="gpu")
    report = CorrectnessReport(
        checks=1, worst_row_error=share, worst_family="long", bound=1.0
    )
    assert (correctness_fault(report, rules) is None) is passes
    with pytest.raises(ReportRefused, match="bound"):
        correctness_fault(report, RULES)


def test_times_below_physics_are_told_by_the_recorded_gpu():
    timing = a_timing(1_000_000, 1e-3, samples=(1e-3, 1e-3, 0.5e-3))
    on_gpu = a_manifest(environment={"gpu_name": "NVIDIA H200"})
    assert is_impossible(timing, on_gpu)
    assert not is_impossible(timing, a_manifest())
    assert not is_impossible(a_timing(1_000_000, 3e-3), on_gpu)


def test_every_prompt_is_held_against_both_thresholds():
    assert logits_fault(some_logits(), RULES) is None
    assert logits_fault(some_logits(0.99, 0.1), RULES) is None
    fault = logits_fault(some_logits(cosine=0.98), RULES)
    assert fault is not None
    assert (fault.code, fault.stage) == (
        RejectionCode.LOGITS_DIFFER,
        Stage.LOGITS,
    )
    assert fault.evidence == {
        "prompt": 1,
        "measure": "cosine_sim",
        "value": 0.98,
        "bound": 0.99,
    }


def test_a_run_during_which_the_machine_changed_is_repeated_on_a_gpu():
    gpu = RoundSettings(profile="gpu")
    blocks = (1.0,) * 4 + (1.03,) * 4
    drifted = a_timing(1_024, 0.5, baseline_samples=blocks)
    with pytest.raises(ReportRefused, match=r"drifted by 3\.0%"):
        check_drift(drifted, gpu)
    check_drift(drifted, RULES)
    check_drift(a_timing(1_024, 0.5), gpu)
