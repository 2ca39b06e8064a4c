import json

import pytest
from quasar_core.errors import TransientError
from quasar_core.judge import baseline
from quasar_core.judge.baseline import measure_baseline
from quasar_core.judge.settings import JudgeSettings

from tests.support.plain_sandbox import PlainSandbox


@pytest.fixture
def settings(tmp_path):
    return JudgeSettings(
        samples=4,
        warm_up_calls=1,
        exchange_samples=3,
        lock_path=tmp_path / "lock",
    )


def test_the_trusted_kernel_is_timed_as_a_submission_is(settings):
    sandbox = PlainSandbox()
    report = measure_baseline(
        100, run_id="b", settings=settings, sandbox=sandbox
    )
    assert report.sequence_length == 128
    assert len(report.samples) == 4
    assert min(report.samples) > 0
    assert report.environment["num_threads"] == "1"
    shown = json.loads(report.environment["judge"])
    assert shown["samples"] == 4
    assert "lock_path" not in shown
    assert sandbox.ended == 2


def test_a_trusted_kernel_that_is_wrong_is_the_worlds_fault(
    settings, monkeypatch
):
    broken = {"__init__.py": b"chunk_quasar = len\n"}
    monkeypatch.setattr(baseline, "baseline_files", lambda: broken)
    with pytest.raises(TransientError, match="trusted kernel"):
        measure_baseline(
            64, run_id="b", settings=settings, sandbox=PlainSandbox()
        )
