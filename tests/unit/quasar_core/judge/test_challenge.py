import pytest
import torch
from quasar_core.contracts.events import Contender
from quasar_core.errors import RejectionCode, Stage
from quasar_core.judge.challenge import challenge
from quasar_core.judge.settings import JudgeSettings

from tests.support.kernel_sources import HONEST, at_the_call, submission
from tests.support.plain_sandbox import PlainSandbox

BROKEN = at_the_call("raise RuntimeError('broken')")


@pytest.fixture
def settings(tmp_path):
    torch.set_num_threads(1)
    return JudgeSettings(
        samples=4,
        warm_up_calls=1,
        warm_up_seconds=0,
        back_to_back_calls=2,
        exchange_samples=3,
        rest_samples=1,
        lock_path=tmp_path / "lock",
    )


def run(settings, challenger=HONEST, defender=HONEST, steps=None):
    sandbox = PlainSandbox()
    report = challenge(
        Contender(source=submission(challenger), sequence_length=100),
        Contender(source=submission(defender), sequence_length=64),
        run_id="run-1",
        settings=settings,
        sandbox=sandbox,
        progress=(steps if steps is not None else []).append,
        seed="7" * 64,
    )
    assert sandbox.ended == len(sandbox.started)
    return report


def test_both_are_timed_at_their_own_lengths_in_eight_blocks(settings):
    steps = []
    report = run(settings, steps=steps)
    assert report.fault is None
    timing = report.timing
    assert timing.blocks == 8
    sides = (timing.challenger, timing.defender)
    assert [side.sequence_length for side in sides] == [128, 64]
    assert [len(side.samples) for side in sides] == [8, 8]
    assert all(min(side.samples) > 0 for side in sides)
    assert report.manifest.seed == "7" * 64
    passed = [step.stage for step in steps if step.finished]
    assert passed == [Stage.SMOKE, Stage.WARM_UP, Stage.TIMED]


@pytest.mark.parametrize("side", ["challenger", "defender"])
def test_what_one_of_them_does_wrong_is_told_as_his(settings, side):
    report = run(settings, **{side: BROKEN})
    assert report.timing is None
    assert report.fault.side == side
    assert report.fault.rejection.code is RejectionCode.RUNTIME_ERROR
