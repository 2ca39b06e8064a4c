import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from quasar_core.domain.workload import Profile
from quasar_core.errors import Stage, TransientError
from quasar_core.execution.sandbox import SandboxUnavailable
from quasar_core.judge import spawn
from quasar_core.judge.jobs import BaselineSpec, JudgeSpec, VerifySpec
from quasar_core.judge.settings import JudgeSettings
from quasar_core.judge.spawn import (
    RefereeCrashedError,
    RefereeKilledError,
    UnhealthyDeviceError,
    judge_in_subprocess,
    measure_baseline_in_subprocess,
    verify_in_subprocess,
)

from tests.support.kernel_sources import HONEST, submission

SPEC = JudgeSpec(
    run_id="r", source=submission(HONEST), target_sequence_length=64
)

# A referee that follows the protocol and then does what a test asks.
PUPPET = """
import json, os, signal, sys, time
answers = os.fdopen(int(sys.argv[1]), "w")
spec = json.loads(sys.stdin.readline())["spec"]
def say(**fields):
    answers.write(json.dumps(fields) + "\\n"); answers.flush()
"""
MEASURED = (
    "say(measured={'sequence_length': 64, 'samples': [1, 2, 3],"
    " 'environment': {'pid': str(os.getpid())}})"
)


@pytest.fixture
def referee(tmp_path, monkeypatch):
    def acts(deed):
        path = tmp_path / "referee.py"
        path.write_text(PUPPET + textwrap.dedent(deed))
        monkeypatch.setattr(spawn, "COMMAND", (sys.executable, str(path)))
        monkeypatch.setattr(spawn, "FORKED", frozenset())
        monkeypatch.setattr(spawn, "ENDING_SECONDS", 0.2)

    return acts


def baseline(**options):
    spec = BaselineSpec(run_id="b", target_sequence_length=64)
    return measure_baseline_in_subprocess(spec, **options)


def test_a_report_comes_back_and_nothing_is_left(referee):
    referee(MEASURED)
    report = baseline()
    assert report.samples == (1, 2, 3)
    with pytest.raises(ProcessLookupError):
        os.kill(int(report.environment["pid"]), 0)


def test_progress_is_told_while_the_job_runs(referee):
    referee(
        "say(progress={'stage': 'smoke'})\n"
        "say(progress={'stage': 'smoke', 'seconds': 1.5})\n"
        "say(failed={'reason': 'the host went away'})"
    )
    steps = []
    with pytest.raises(TransientError, match="the host went away"):
        judge_in_subprocess(SPEC, steps.append)
    assert [(s.stage, s.seconds) for s in steps] == [
        (Stage.SMOKE, None),
        (Stage.SMOKE, 1.5),
    ]


def test_what_a_library_prints_is_no_answer(referee):
    referee('print(\'{"failed": {"reason": "x"}}\', flush=True)\n' + MEASURED)
    assert baseline().samples == (1, 2, 3)


def test_a_device_that_is_ill_is_told_as_such(referee):
    referee("say(unhealthy={'reason': 'the canary is slow'})")
    with pytest.raises(UnhealthyDeviceError, match="canary"):
        baseline()


def test_no_sandbox_is_told_as_such(referee):
    referee("say(unavailable={'reason': 'install bubblewrap'})")
    with pytest.raises(SandboxUnavailable, match="install bubblewrap"):
        baseline()


@pytest.mark.parametrize(
    "deed",
    [
        "sys.exit('Traceback: a bug')",
        "say(surprise=1)",
        "answers.write('{\\n'); answers.flush(); time.sleep(60)",
    ],
)
def test_a_judge_that_breaks_is_loud(referee, deed):
    referee(deed)
    with pytest.raises(RefereeCrashedError):
        baseline()


def test_a_crash_shows_what_the_referee_printed(referee):
    referee("sys.exit('Traceback: a bug')")
    with pytest.raises(RefereeCrashedError, match="Traceback: a bug"):
        baseline()


def test_the_wrong_kind_of_end_is_a_crash(referee):
    referee(MEASURED)
    with pytest.raises(RefereeCrashedError, match="without a report"):
        judge_in_subprocess(SPEC, lambda step: None)
    with pytest.raises(RefereeCrashedError, match="without a report"):
        verify_in_subprocess(
            VerifySpec(run_id="v", source=SPEC.source), lambda step: None
        )


def test_a_referee_that_was_killed_is_the_worlds_fault(referee):
    referee("os.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(RefereeKilledError, match="killed by 9"):
        baseline()


def test_an_abandoned_job_is_ended_and_its_folder_with_it(referee, tmp_path):
    referee(
        f"open({str(tmp_path / 'pid')!r}, 'w').write(sys.argv[2])\n"
        "time.sleep(60)"
    )
    started = time.monotonic()
    with pytest.raises(TransientError, match="abandoned"):
        baseline(cancelled=(tmp_path / "pid").exists)
    assert time.monotonic() - started < 30
    assert not Path((tmp_path / "pid").read_text()).exists()


def test_a_listener_that_raises_ends_the_job(referee):
    referee("say(progress={'stage': 'smoke'}); time.sleep(60)")

    def stop(step):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        judge_in_subprocess(SPEC, stop)


def test_the_callers_own_deadline_holds(referee, monkeypatch):
    monkeypatch.setattr(spawn, "GRACE_SECONDS", -10_000.0)
    referee("time.sleep(60)")
    with pytest.raises(TransientError, match="deadline"):
        baseline()


def test_a_referee_for_a_device_is_a_new_process(referee, monkeypatch):
    forked = spawn.FORKED
    referee("say(failed={'reason': 'new'})")
    monkeypatch.setattr(spawn, "FORKED", forked)
    settings = JudgeSettings(profile=Profile.GPU)
    with pytest.raises(TransientError, match="new"):
        judge_in_subprocess(
            SPEC.model_copy(update={"settings": settings}), lambda step: None
        )


def test_the_caller_loads_no_torch():
    program = (
        "import sys, quasar_core.judge.spawn, quasar_core.judge.pinned as p,"
        "quasar_core.judge.harness as h;"
        "p.baseline_source(); h.harness_digest();"
        "sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
