import pytest
from quasar_core.errors import RejectionCode, Stage
from quasar_core.judge.logits import make_stand_in
from quasar_core.judge.settings import JudgeSettings, LogitSettings
from quasar_core.judge.verification import verify

from tests.support.kernel_sources import (
    HONEST,
    NO_MASK,
    at_the_call,
    submission,
)
from tests.support.plain_sandbox import PlainSandbox


@pytest.fixture
def settings(tmp_path):
    return JudgeSettings(
        logits=LogitSettings(prompt_lengths=(64, 256)),
        lock_path=tmp_path / "lock",
    )


def run(text, settings, steps=None):
    sandbox = PlainSandbox()
    found = verify(
        submission(text),
        run_id="run-1",
        settings=settings,
        sandbox=sandbox,
        progress=(steps if steps is not None else []).append,
    )
    assert sandbox.ended == len(sandbox.started)
    return found


def test_an_honest_kernels_logits_agree(settings):
    steps = []
    manifest, report, rejection = run(HONEST, settings, steps)
    assert rejection is None
    assert manifest.run_id == "run-1"
    assert [prompt.tokens for prompt in report.prompts] == [64, 256]
    assert report.model == "stand-in-7"
    assert [step.stage for step in steps] == [Stage.LOGITS] * 2


def test_a_wrong_kernels_logits_differ(settings, tmp_path):
    path = make_stand_in(tmp_path / "model", 3)
    logits = settings.logits.model_copy(update={"model_path": path})
    steps = []
    _, report, rejection = run(
        NO_MASK, settings.model_copy(update={"logits": logits}), steps
    )
    assert rejection.code is RejectionCode.LOGITS_DIFFER
    assert report.model == "stand-in-3"
    assert [step.finished for step in steps] == [False]


def test_a_kernel_that_raises_has_no_logits(settings):
    text = at_the_call("raise ValueError('not today')")
    _, report, rejection = run(text, settings)
    assert report is None
    assert rejection.code is RejectionCode.RUNTIME_ERROR
    assert rejection.stage is Stage.LOGITS
    assert "not today" in rejection.detail


def test_what_the_screen_refuses_is_not_run_here_either(settings):
    _, report, rejection = run("import os\n" + HONEST, settings)
    assert report is None
    assert rejection.code is RejectionCode.FORBIDDEN_IMPORT
