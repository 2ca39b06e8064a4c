"""The input's window against its own mapper, in the real sandbox."""

import pytest
import torch
from quasar_core.errors import RejectionCode
from quasar_core.execution.limits import MIB
from quasar_core.judge import judging
from quasar_core.judge.judging import judge
from quasar_core.judge.settings import JudgeSettings, StageLimits

from tests.support.kernel_sources import at_import, submission
from tests.support.sandboxes import sandbox_in

# It takes over the runner's own mapping of X, and tells what it could do.
ATTACKS_THE_WINDOW = at_import("""
import mmap, os, sys
runner = sys.modules['__main__']
honest = runner.map_input
def attempt(deed):
    try:
        deed()
    except OSError as error:
        return type(error).__name__
    return 'done'
def map_input(fd):
    again = os.open(f'/proc/self/fd/{fd}', os.O_RDWR)
    told = [
        attempt(lambda: mmap.mmap(fd, 4096)),
        attempt(lambda: mmap.mmap(again, 4096)),
        attempt(lambda: os.ftruncate(fd, 1 << 30)),
        attempt(lambda: os.pwrite(fd, b'x', 0)),
    ]
    runner.told = ' '.join(told)
    return honest(fd)
runner.map_input = map_input
def run(*_):
    raise RuntimeError(runner.told)
runner.run = run
""")


@pytest.fixture
def judged(tmp_path, monkeypatch):
    """Judges a text as if the screen had let it through."""
    monkeypatch.setattr(judging, "screen_inside", lambda *_: None)
    settings = JudgeSettings(
        correctness_lengths=(64, 128, 192),
        memory_bytes=768 * MIB,
        pids=48,
        limits=StageLimits(correctness_seconds=3),
        lock_path=tmp_path / "lock",
    )

    def run(text):
        torch.set_num_threads(1)
        return judge(
            submission(text),
            target_sequence_length=192,
            run_id="attack",
            settings=settings,
            sandbox=sandbox_in(tmp_path, allow_degraded=False),
            progress=lambda step: None,
        )

    return run


def test_the_input_window_withstands_its_mapper(judged):
    rejection = judged(ATTACKS_THE_WINDOW).rejection
    assert rejection.code is RejectionCode.RUNTIME_ERROR
    assert rejection.detail == "RuntimeError: " + " ".join(
        ["PermissionError"] * 4
    )
