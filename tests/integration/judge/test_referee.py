"""The referee as its own process, with the real sandbox below it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from quasar_core.domain.scores import derive
from quasar_core.errors import RejectionCode, Stage
from quasar_core.judge.jobs import JudgeSpec, SandboxChoice, VerifySpec
from quasar_core.judge.pinned import baseline_source
from quasar_core.judge.settings import JudgeSettings, LogitSettings
from quasar_core.judge.spawn import judge_in_subprocess, verify_in_subprocess

from tests.support.docker_engine import (
    docker_engine,  # noqa: F401 -- a fixture is found by its name
)
from tests.support.kernel_sources import HONEST, NO_MASK, submission
from tests.support.sandboxes import processes_with
from tests.support.waiting import eventually


@pytest.fixture
def settings(tmp_path):
    return JudgeSettings(
        samples=4,
        warm_up_seconds=0.1,
        back_to_back_calls=4,
        logits=LogitSettings(prompt_lengths=(256,)),
        lock_path=tmp_path / "lock",
    )


def judged(source, settings, steps=None, backend=None):
    spec = JudgeSpec(
        run_id="whole",
        source=source,
        target_sequence_length=512,
        settings=settings,
        sandbox=SandboxChoice(backend=backend),
    )
    return judge_in_subprocess(
        spec, (steps if steps is not None else []).append
    )


def test_an_honest_kernel_and_its_copy_get_the_same_verdict(settings):
    steps = []
    reports = [judged(baseline_source(), settings, steps) for _ in range(2)]
    for report in reports:
        assert report.rejection is None
        assert report.manifest.sandbox == "bubblewrap"
        assert all(report.manifest.isolation.values())
        timing = report.timing
        score = derive(
            timing.samples,
            timing.baseline_samples,
            timing.back_to_back,
            timing.rest,
            timing.sequence_length,
        )
        assert score.tokens_per_sec > 0
    seeds = {report.manifest.seed for report in reports}
    assert len(seeds) == 2
    passed = [step.stage for step in steps if step.finished]
    assert passed[:5] == [
        Stage.SCREEN,
        Stage.SMOKE,
        Stage.CORRECTNESS,
        Stage.WARM_UP,
        Stage.TIMED,
    ]


def test_an_honest_kernel_is_judged_alike_in_a_container(
    settings, docker_engine, monkeypatch  # noqa: F811
):
    monkeypatch.setenv("DOCKER_HOST", docker_engine)
    report = judged(baseline_source(), settings, backend="docker")
    assert report.rejection is None
    assert report.manifest.sandbox == "docker"
    assert all(report.manifest.isolation.values())
    assert len(report.timing.samples) == settings.samples


def test_logits_tell_an_honest_kernel_from_a_wrong_one(settings):
    verdicts = [
        verify_in_subprocess(
            VerifySpec(run_id="v", source=submission(text), settings=settings),
            lambda step: None,
        )
        for text in (HONEST, NO_MASK)
    ]
    honest, wrong = verdicts
    assert honest.rejection is None
    assert honest.logits.prompts[0].worst_cosine_sim > 0.9999
    assert wrong.rejection.code is RejectionCode.LOGITS_DIFFER


PARENT = """
import sys
from quasar_core.judge.jobs import JudgeSpec
from quasar_core.judge.spawn import judge_in_subprocess
spec = JudgeSpec.model_validate_json(sys.stdin.readline())
judge_in_subprocess(spec, lambda step: print(step.stage, flush=True))
"""


def children_of(pid):
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text("utf-8").rpartition(")")[2]
            except OSError:
                continue
            if int(stat.split()[1]) == pid:
                found += [int(entry.name), *children_of(int(entry.name))]
    return found


def lives(pid):
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8")
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def test_a_killed_worker_takes_its_referee_and_sandboxes_along(
    settings, tmp_path
):
    spec = JudgeSpec(
        run_id="doomed",
        source=submission(HONEST),
        target_sequence_length=1024,
        settings=settings.model_copy(update={"samples": 1_000}),
    )
    worker = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    worker.stdin.write(spec.model_dump_json().encode() + b"\n")
    worker.stdin.flush()
    while worker.stdout.readline() != b"timed\n":
        assert worker.poll() is None
    below = children_of(worker.pid)
    assert len(below) >= 3
    # By now one of the two kernels is frozen, at any time.
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    eventually(lambda: not any(map(lives, below)), seconds=20)
    assert processes_with(str(tmp_path)) == []
    worker.stdin.close()
    worker.stdout.close()


def test_a_specification_that_is_none_is_loud_and_runs_nothing():
    reader, writer = os.pipe()
    done = subprocess.run(
        [sys.executable, "-m", "quasar_core.judge", str(writer), "."],
        input=json.dumps({"spec": {"kind": "judge"}}).encode() + b"\n",
        pass_fds=(writer,),
        capture_output=True,
        check=False,
    )
    os.close(writer)
    with os.fdopen(reader) as answers:
        assert answers.read() == ""
    assert done.returncode == 1
    assert b"ValidationError" in done.stderr
