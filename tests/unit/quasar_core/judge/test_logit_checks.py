import pytest
import torch
from quasar_core.errors import RejectionCode, TransientError
from quasar_core.judge import logit_checks
from quasar_core.judge.cores import MUTANT_CORES, exact_core, trusted_core
from quasar_core.judge.faults import KernelFault
from quasar_core.judge.logit_checks import (
    report_of,
    telling_check,
    unseen_mutants,
)
from quasar_core.judge.logit_errors import Thresholds, verdict
from quasar_core.judge.logits import load_model, make_stand_in
from quasar_core.judge.seeds import Seeds
from quasar_core.judge.settings import JudgeSettings, LogitSettings

torch.set_num_threads(1)
SEEDS = Seeds(bytes(32), "run")
SETTINGS = JudgeSettings(logits=LogitSettings(prompt_lengths=(64, 256)))
THRESHOLDS = Thresholds()


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    return load_model(make_stand_in(tmp_path_factory.mktemp("model"), 7))


@pytest.fixture(scope="module")
def check(reference):
    return telling_check(reference, SEEDS, SETTINGS, THRESHOLDS)


def test_prompts_positions_and_layers_are_secret_and_complete(check):
    assert len(check.layers) == 4
    assert [len(prompt.tokens) for prompt in check.prompts] == [64, 256]
    for prompt in check.prompts:
        assert len(set(prompt.positions)) == 16
        assert prompt.positions[-1] == len(prompt.tokens) - 1


def test_an_honest_kernel_passes_with_room_to_spare(check):
    report = report_of(check, exact_core)
    assert verdict(report, THRESHOLDS) is None
    assert max(prompt.worst_max_diff for prompt in report.prompts) < 1e-3
    assert report.stand_in is True


@pytest.mark.parametrize("name", MUTANT_CORES)
def test_every_mutant_fails_on_its_own(check, name):
    report = report_of(check, MUTANT_CORES[name])
    assert verdict(report, THRESHOLDS).code is RejectionCode.LOGITS_DIFFER
    assert unseen_mutants(check, THRESHOLDS) == ()


def test_the_trusted_kernel_runs_once_a_prompt(check, monkeypatch):
    def never(_):
        raise AssertionError("the trusted kernel ran again")

    for prompt in check.prompts:
        check.trusted_logits(prompt)
    monkeypatch.setattr(logit_checks, "trusted_core", never)
    assert verdict(report_of(check, exact_core), THRESHOLDS) is None


def test_logits_that_overflow_are_not_finite(check):
    def huge(inputs):
        return trusted_core(inputs) * 3e38

    with pytest.raises(KernelFault) as caught:
        report_of(check, huge)
    assert caught.value.code is RejectionCode.NON_FINITE


def test_a_noisy_model_has_fewer_layers_replaced(reference, monkeypatch):
    monkeypatch.setattr(
        logit_checks, "_is_quiet", lambda check, *_: len(check.layers) < 3
    )
    check = telling_check(reference, SEEDS, SETTINGS, THRESHOLDS)
    assert len(check.layers) == 2


def test_a_model_that_is_too_noisy_is_nobodys_submission(reference):
    exact = Thresholds(cosine_sim=1.0, max_diff=1e-12)
    with pytest.raises(TransientError, match="noisy"):
        telling_check(reference, SEEDS, SETTINGS, exact)


def test_logits_that_cannot_tell_are_nobodys_submission(
    reference, monkeypatch
):
    monkeypatch.setattr(logit_checks, "unseen_mutants", lambda *_: ("x",))
    with pytest.raises(TransientError, match="mutants"):
        telling_check(reference, SEEDS, SETTINGS, THRESHOLDS)
