"""Profile `gpu` in the real sandbox, with a stand-in for the driver."""

import pytest
import torch
from quasar_core.errors import RejectionCode, Stage
from quasar_core.execution.gpu import DRIVER
from quasar_core.execution.limits import MIB
from quasar_core.judge import judging
from quasar_core.judge.judging import judge
from quasar_core.judge.settings import JudgeSettings

from tests.support.kernel_sources import HONEST, at_import, submission
from tests.support.sandboxes import open_descriptors, sandbox_in
from tests.support.standin_gpu import standin_ground, undone

# Says DONE and writes nothing: what an early answer leaves is the poison.
IDLE = at_import("""
import sys
runner = sys.modules['__main__']
runner.run = lambda *_: None
""")


@pytest.fixture
def judged(tmp_path, monkeypatch):
    monkeypatch.setattr(judging, "screen_inside", lambda *_: None)
    monkeypatch.setattr(judging, "drift", lambda samples: 0.0)
    tmp_path.chmod(0o755)
    ground = standin_ground(tmp_path / "driver", DRIVER)
    settings = JudgeSettings(
        profile="gpu",
        correctness_lengths=(64, 128),
        samples=4,
        warm_up_calls=1,
        warm_up_seconds=0,
        back_to_back_calls=2,
        exchange_samples=3,
        rest_samples=1,
        memory_bytes=1_024 * MIB,
        pids=48,
        lock_path=tmp_path / "lock",
    )

    def run(text):
        torch.set_num_threads(1)
        before = open_descriptors()
        report = judge(
            submission(text),
            target_sequence_length=128,
            run_id="device",
            settings=settings,
            sandbox=sandbox_in(tmp_path, allow_degraded=False),
            progress=lambda step: None,
            ground=ground,
        )
        assert undone(ground) == 0
        assert open_descriptors() == before
        return report

    return run


def test_windows_of_a_device_cross_the_sandbox(judged):
    report = judged(HONEST)
    assert report.rejection is None
    assert report.manifest.sandbox == "bubblewrap"
    assert report.manifest.profile == "gpu"
    assert len(report.timing.samples) == 4


def test_an_answer_without_work_leaves_the_poison(judged):
    rejection = judged(IDLE).rejection
    assert rejection.code is RejectionCode.NON_FINITE
    assert rejection.stage is Stage.SMOKE
