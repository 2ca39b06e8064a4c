"""Replay: what a run is made of, and how two of them compare."""

import pytest
from quasar_core.contracts.reports import (
    CorrectnessReport,
    JudgeReport,
    Rejection,
)
from quasar_core.errors import RejectionCode, Stage
from quasar_core.judge.harness import harness_digest
from quasar_core.judge.jobs import SandboxChoice
from quasar_core.judge.replay import (
    NotReplayableError,
    RunRecord,
    compared,
    spec_of,
)
from quasar_core.judge.settings import JudgeSettings

from tests.support.judged import a_manifest, a_timing
from tests.support.kernel_sources import HONEST, submission

SOURCE = submission(HONEST)
SETTINGS = JudgeSettings(samples=6)
CHOICE = SandboxChoice(backend="bubblewrap")
WRONG = Rejection(
    code=RejectionCode.OUTPUT_MISMATCH,
    stage=Stage.SMOKE,
    evidence={"head": 1, "token": 7, "error": 0.5},
)


def record(**changes):
    manifest = a_manifest(
        environment={"tree_hash": SOURCE.tree_hash},
        settings=SETTINGS.published(),
        harness_digest=harness_digest(),
    ).model_copy(update=changes.pop("manifest", {}))
    return RunRecord(
        target_sequence_length=100,
        source=SOURCE,
        report=JudgeReport(manifest=manifest, **changes),
    )


def timed(seconds):
    correctness = CorrectnessReport(
        checks=1, worst_row_error=0, worst_family="plain", bound=1e-4
    )
    return {"timing": a_timing(128, seconds), "correctness": correctness}


def test_a_record_becomes_the_job_that_it_was():
    run = record(rejection=WRONG)
    spec = spec_of(run, CHOICE)
    manifest = run.report.manifest
    assert (spec.run_id, spec.seed) == (manifest.run_id, manifest.seed)
    assert (spec.source, spec.sandbox) == (SOURCE, CHOICE)
    assert spec.target_sequence_length == 100
    assert spec.settings == SETTINGS
    assert RunRecord.model_validate_json(run.model_dump_json()) == run


def test_a_manifest_without_settings_needs_others():
    run = record(rejection=WRONG, manifest={"settings": ""})
    assert spec_of(run, CHOICE, SETTINGS).settings == SETTINGS
    with pytest.raises(NotReplayableError, match="no settings"):
        spec_of(run, CHOICE)


def test_a_manifest_names_no_path_of_this_machine():
    hostile = '{"lock_path": "/etc/lock", "logits": {"model_path": "/x"}}'
    run = record(rejection=WRONG, manifest={"settings": hostile})
    settings = spec_of(run, CHOICE).settings
    assert (settings.lock_path, settings.logits.model_path) == (None, None)


def test_what_is_not_that_run_is_not_run():
    other = record(rejection=WRONG, manifest={"settings": '{"samples": 3}'})
    with pytest.raises(NotReplayableError, match="another judge"):
        spec_of(other, CHOICE)
    swapped = record(rejection=WRONG, manifest={"environment": {}})
    with pytest.raises(NotReplayableError, match="not those that were run"):
        spec_of(swapped, CHOICE)


def test_the_same_rejection_is_the_same_verdict():
    first = record(rejection=WRONG)
    told = compared(first, record(rejection=WRONG).report)
    assert (told.same_verdict, told.same_harness) == (True, True)
    assert told.verdict == told.again == "output_mismatch at smoke"
    assert (told.time_ratio, told.same_time) == (None, None)


def test_another_row_is_another_verdict():
    other = WRONG.model_copy(update={"evidence": {"head": 1, "token": 8}})
    told = compared(record(rejection=WRONG), record(rejection=other).report)
    assert told.same_verdict is False
    assert told.differences == ("token: 7, then 8",)


def test_a_verdict_of_another_code_is_another():
    told = compared(record(rejection=WRONG), record(**timed(1.0)).report)
    assert (told.same_verdict, told.again) == (False, "accepted")


@pytest.mark.parametrize(
    ("seconds", "profile", "same"),
    [
        (1.4, "cpu", True),
        (1.6, "cpu", False),
        (1.02, "gpu", True),
        (1.04, "gpu", False),
    ],
)
def test_times_are_compared_by_the_profiles_tolerance(seconds, profile, same):
    first = record(**timed(1.0), manifest={"profile": profile})
    told = compared(first, record(**timed(seconds)).report)
    assert told.same_verdict is True
    assert told.time_ratio == pytest.approx(seconds)
    assert told.same_time is same


def test_another_judge_is_told():
    run = record(rejection=WRONG, manifest={"harness_digest": "0" * 64})
    assert compared(run, run.report).same_harness is False
