import pytest
import torch
from quasar_core.errors import RejectionCode, Stage, TransientError
from quasar_core.execution.sandbox import SandboxUnavailable
from quasar_core.judge import judging
from quasar_core.judge.grounds import ground_of
from quasar_core.judge.judging import judge
from quasar_core.judge.settings import JudgeSettings
from quasar_core.judge.turns import lock_path

from tests.support.kernel_sources import HONEST, NO_MASK, submission
from tests.support.plain_sandbox import PlainSandbox
from tests.support.sandboxes import open_descriptors
from tests.support.standin_gpu import standin_ground, undone


@pytest.fixture(scope="module")
def ground(tmp_path_factory):
    return standin_ground(tmp_path_factory.mktemp("driver"))


@pytest.fixture
def settings(tmp_path):
    torch.set_num_threads(1)
    return JudgeSettings(
        profile="gpu",
        correctness_lengths=(64, 128),
        samples=4,
        warm_up_calls=1,
        warm_up_seconds=0,
        back_to_back_calls=2,
        exchange_samples=3,
        rest_samples=1,
        lock_path=tmp_path / "lock",
    )


def run(text, settings, ground):
    before = open_descriptors()
    try:
        return judge(
            submission(text),
            target_sequence_length=100,
            run_id="run-1",
            settings=settings,
            sandbox=PlainSandbox(),
            progress=lambda step: None,
            ground=ground,
        )
    finally:
        assert undone(ground) == 0
        assert open_descriptors() == before


def calm(monkeypatch):
    """Processors drift by more than a device may."""
    monkeypatch.setattr(judging, "drift", lambda samples: 0.01)


def test_an_honest_kernel_is_judged_in_bf16(settings, ground, monkeypatch):
    calm(monkeypatch)
    report = run(HONEST, settings, ground)
    assert report.rejection is None
    assert report.correctness.bound == 1.0
    assert 0 < report.correctness.worst_row_error <= 1.0
    assert len(report.timing.samples) == 4
    manifest = report.manifest
    assert manifest.profile == "gpu"
    assert manifest.environment["gpu_uuid"] == "GPU-0"
    assert manifest.environment["gpu_throttle_reasons_after"] == "0x4"
    assert "gpu_peak_memory_bytes" in manifest.environment


def test_a_wrong_kernel_is_told_which_measure_it_failed(settings, ground):
    report = run(NO_MASK, settings, ground)
    assert report.rejection.stage is Stage.SMOKE
    assert report.rejection.code is RejectionCode.OUTPUT_MISMATCH
    evidence = report.rejection.evidence
    assert evidence["measure"] in {"rms", "quantile_999", "worst"}
    assert evidence["error"] > evidence["bound"]


def test_a_machine_that_drifts_is_no_submissions_fault(
    settings, ground, monkeypatch
):
    monkeypatch.setattr(judging, "drift", lambda samples: 0.021)
    with pytest.raises(TransientError, match=r"drifted by 2\.1%"):
        run(HONEST, settings, ground)


def test_a_device_has_a_turn_of_its_own(settings, ground):
    plain = settings.model_copy(update={"lock_path": None})
    path = lock_path(plain, ground.lock_name)
    assert path.name == "referee-GPU-0.lock"


def test_no_rounding_is_left_on(settings, ground):
    torch.set_float32_matmul_precision("medium")
    ground.prepare(settings)
    assert torch.get_float32_matmul_precision() == "highest"
    assert not torch.backends.cuda.matmul.allow_tf32


def test_profile_gpu_asks_for_what_judge_on_a_device_needs():
    settings = JudgeSettings(profile="gpu", pids=700)
    assert (settings.samples, settings.pids) == (30, 700)
    assert settings.logits.prompt_lengths == (128, 1_024, 8_192, 32_768)
    again = JudgeSettings.from_published(settings.published())
    assert again == settings


def test_without_a_gpu_profile_gpu_is_refused():
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(SandboxUnavailable, match="needs one"):
        ground_of(JudgeSettings(profile="gpu"))
