import os
import subprocess
import sys

from quasar_core.execution.sandbox import Job
from quasar_core.judge.leash import ABANDONED, LeashedSandbox

from tests.support.plain_sandbox import PlainSandbox

SLEEPER = Job(argv=("python", "-c", "import time; time.sleep(60)"))

REFEREE = """
import os, sys, time
from pathlib import Path
from quasar_core.judge.leash import LeashedSandbox, watch_parent
from tests.support.plain_sandbox import PlainSandbox
from quasar_core.execution.sandbox import Job
sandbox = LeashedSandbox(PlainSandbox())
sleeper = Job(argv=("python", "-c", "import time; time.sleep(60)"))
running = sandbox.start(sleeper)
running.freeze()
watch_parent(0, float(sys.argv[2]), sandbox, Path(sys.argv[1]))
print(running._process.pid, flush=True)
time.sleep(60)
"""


def test_what_was_started_is_ended_frozen_or_not():
    plain = PlainSandbox()
    sandbox = LeashedSandbox(plain)
    running = [sandbox.start(SLEEPER) for _ in range(2)]
    running[0].freeze()
    sandbox.end()
    sandbox.end()
    assert not any(each.alive for each in running)
    assert plain.ended == 2


def test_it_is_the_sandbox_that_it_holds():
    sandbox = LeashedSandbox(PlainSandbox())
    assert (sandbox.name, sandbox.sweep()) == ("plain", 0)
    assert sandbox.preflight().backend == "plain"


def referee(tmp_path, seconds):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", REFEREE, str(scratch), str(seconds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    pid = int(process.stdout.readline())
    return process, pid, scratch


def ended(process, pid, scratch):
    code = process.wait(20)
    process.stdin.close()
    process.stdout.close()
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return code == ABANDONED and not scratch.exists()
    return False


def test_a_referee_ends_with_its_parent_and_takes_all_along(tmp_path):
    process, pid, scratch = referee(tmp_path, 60)
    process.stdin.close()
    assert ended(process, pid, scratch)


def test_a_referee_ends_at_its_own_deadline(tmp_path):
    assert ended(*referee(tmp_path, 0.1))
