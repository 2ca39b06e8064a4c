"""Kernels that cheat or break, in the real sandbox, past the screen."""

from pathlib import Path

import pytest
import torch
from quasar_core.errors import RejectionCode, Stage
from quasar_core.execution.limits import MIB
from quasar_core.judge import judging
from quasar_core.judge.judging import judge
from quasar_core.judge.settings import JudgeSettings, StageLimits

from tests.support.kernel_sources import (
    FORGETFUL,
    NO_MASK,
    at_import,
    at_the_call,
    changed,
    submission,
)
from tests.support.sandboxes import sandbox_in

Code = RejectionCode

ZEROS = at_the_call(
    "print('RESULT: 1e12 tokens/s'); return torch.zeros_like(q), None"
)
EXIT_AT_THE_THIRD_CALL = at_the_call(
    "chunk_quasar.n = getattr(chunk_quasar, 'n', 0) + 1;"
    " chunk_quasar.n > 2 and __import__('os')._exit(0)"
)
NAN_IN_ONE_ROW = changed(
    ("    return o, (", "    o[0, 13, 2, 7] = float('nan')\n    return o, (")
)
WRONG_SHAPE = changed(("return o,", "return o[:, :, :4],"))
WRONG_TYPE = changed(("return o,", "return o.double(),"))
NO_STATE = changed(("(state if output_final_state else None)", "None"))
WRITES_ITS_INPUT = at_the_call("v.mul_(0)")
SLEEPS = at_the_call(
    "T = q.shape[1]; T > 64 and __import__('time').sleep(999)"
)
HOGS_MEMORY = at_the_call("hog = bytearray(1 << 30)")
FORKS = at_the_call(
    "os = __import__('os')\n    while True:\n        os.fork()"
)
SAYS_DONE = at_import(
    "__import__('sys').modules['__main__'].run = lambda *a: None"
)
SENDS_JUNK = at_the_call(
    "s = __import__('socket'); fd = int(__import__('sys').argv[1]);"
    " s.socket(s.AF_UNIX, s.SOCK_SEQPACKET, 0, fd).send(b'junk')"
)
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

ATTACKS = {
    "no causal mask": (NO_MASK, Code.OUTPUT_MISMATCH, Stage.SMOKE),
    "state dropped": (FORGETFUL, Code.OUTPUT_MISMATCH, Stage.CORRECTNESS),
    "zeros and a printed result": (ZEROS, Code.OUTPUT_MISMATCH, Stage.SMOKE),
    "exit at import": (
        at_import("__import__('os')._exit(0)"),
        Code.PROCESS_EXIT,
        Stage.SMOKE,
    ),
    "exit at a later call": (
        EXIT_AT_THE_THIRD_CALL,
        Code.PROCESS_EXIT,
        Stage.CORRECTNESS,
    ),
    "NaN in one row": (NAN_IN_ONE_ROW, Code.NON_FINITE, Stage.SMOKE),
    "wrong shape": (WRONG_SHAPE, Code.WRONG_SHAPE_OR_DTYPE, Stage.SMOKE),
    "wrong type": (WRONG_TYPE, Code.WRONG_SHAPE_OR_DTYPE, Stage.SMOKE),
    "no final state": (
        NO_STATE,
        Code.WRONG_SHAPE_OR_DTYPE,
        Stage.CORRECTNESS,
    ),
    "input written": (WRITES_ITS_INPUT, Code.INPUT_MODIFIED, Stage.SMOKE),
    "sleeps for ever": (SLEEPS, Code.TIME_LIMIT, Stage.CORRECTNESS),
    "memory hog": (HOGS_MEMORY, Code.MEMORY_LIMIT, Stage.SMOKE),
    "fork bomb": (FORKS, Code.PROCESS_LIMIT, Stage.SMOKE),
    "says done and writes nothing": (SAYS_DONE, Code.NON_FINITE, Stage.SMOKE),
    "junk on the wire": (SENDS_JUNK, Code.PROTOCOL_VIOLATION, Stage.SMOKE),
    "no such import": (
        at_import("import no_such_module"),
        Code.IMPORT_ERROR,
        Stage.SMOKE,
    ),
}


def open_descriptors():
    return {path.name for path in Path("/proc/self/fd").iterdir()}


@pytest.fixture
def judged(tmp_path, monkeypatch):
    """Judges a text as if the screen had let it through."""
    monkeypatch.setattr(judging, "screen", lambda files: None)
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


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_gets_its_verdict_and_leaves_nothing(judged, name):
    text, code, stage = ATTACKS[name]
    before = open_descriptors()
    report = judged(text)
    assert report.timing is None
    assert (report.rejection.code, report.rejection.stage) == (code, stage)
    assert open_descriptors() <= before


def test_the_input_window_withstands_its_mapper(judged):
    rejection = judged(ATTACKS_THE_WINDOW).rejection
    assert rejection.code is Code.RUNTIME_ERROR
    assert rejection.detail == "RuntimeError: " + " ".join(
        ["PermissionError"] * 4
    )
