import pytest
import torch
from quasar_core.errors import RejectionCode, Stage, TransientError
from quasar_core.judge import judging
from quasar_core.judge.judging import judge
from quasar_core.judge.settings import JudgeSettings

from tests.support.kernel_sources import FORGETFUL, HONEST, submission
from tests.support.plain_sandbox import PlainSandbox


@pytest.fixture
def settings(tmp_path):
    torch.set_num_threads(1)
    return JudgeSettings(
        correctness_lengths=(64, 192),
        samples=4,
        warm_up_calls=1,
        warm_up_seconds=0,
        back_to_back_calls=2,
        exchange_samples=3,
        rest_samples=1,
        lock_path=tmp_path / "lock",
    )


def run(text, settings, steps=None):
    sandbox = PlainSandbox()
    report = judge(
        submission(text),
        target_sequence_length=100,
        run_id="run-1",
        settings=settings,
        sandbox=sandbox,
        progress=(steps if steps is not None else []).append,
    )
    assert sandbox.ended == len(sandbox.started)
    return report


def test_an_honest_kernel_is_timed_stage_by_stage(settings):
    steps = []
    report = run(HONEST, settings, steps)
    assert report.rejection is None
    assert report.timing.sequence_length == 128
    assert len(report.timing.samples) == 4
    assert len(report.timing.baseline_samples) == 4
    assert report.correctness.checks >= 4
    assert report.correctness.worst_row_error < 1e-5
    assert report.manifest.environment["peak_memory_bytes"] == "1000"
    stages = [Stage.SCREEN, Stage.SMOKE, Stage.CORRECTNESS]
    stages += [Stage.WARM_UP, Stage.TIMED]
    assert [step.stage for step in steps if not step.finished] == stages
    assert [step.stage for step in steps if step.finished] == stages


def test_a_kernel_that_forgets_is_rejected_before_any_clock(settings):
    report = run(FORGETFUL, settings)
    assert report.rejection.code is RejectionCode.OUTPUT_MISMATCH
    assert report.rejection.stage is Stage.CORRECTNESS
    assert (report.timing, report.correctness) == (None, None)


def test_what_the_screen_refuses_never_runs(settings):
    sandbox = PlainSandbox()
    report = judge(
        submission("import os\n" + HONEST),
        target_sequence_length=100,
        run_id="run-1",
        settings=settings,
        sandbox=sandbox,
        progress=lambda step: None,
    )
    assert report.rejection.code is RejectionCode.FORBIDDEN_IMPORT
    assert report.rejection.stage is Stage.SCREEN
    # What ran is our own reader, which parsed it.
    (job,) = sandbox.started
    assert "quasar_core.execution.reader" in job.argv


def test_a_broken_trusted_kernel_is_nobodys_submission(settings, monkeypatch):
    broken = {"__init__.py": b"raise RuntimeError('broken')\n"}
    monkeypatch.setattr(judging, "baseline_files", lambda: broken)
    with pytest.raises(TransientError, match="trusted kernel"):
        run(HONEST, settings)
