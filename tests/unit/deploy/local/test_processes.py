"""Child processes: ready or not, ended in order, and never left behind."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deploy.local.processes import Ended, Processes, ProcessFault, Program

SLEEPER = "import time; print('up', flush=True); time.sleep(60)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    " print('up', flush=True); time.sleep(60)"
)
POLITE = (
    "import signal, sys, time;"
    " signal.signal(signal.SIGTERM, lambda *_: sys.exit(0));"
    " print('up', flush=True); time.sleep(60)"
)
FAMILY = (
    "import subprocess, sys, time;"
    " child = subprocess.Popen([sys.executable, '-c', 'import time;"
    " time.sleep(60)']); print(child.pid, flush=True); time.sleep(60)"
)


def python(processes, name, code, **options):
    log = processes.log_path(name)
    return Program(
        name,
        (sys.executable, "-c", code),
        {"PATH": os.environ["PATH"]},
        ready=lambda: log.stat().st_size > 0,
        **options,
    )


def runs(pid):
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def wait_until_gone(pid):
    deadline = time.monotonic() + 5
    while runs(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not runs(pid)


def test_a_process_is_started_when_its_ready_check_says_so(tmp_path):
    with Processes(tmp_path) as processes:
        processes.start(python(processes, "one", SLEEPER))
        assert processes.names == ("one",)
        assert runs(processes.pid("one"))
        assert processes.log_path("one").read_text() == "up\n"
        processes.check()


def test_processes_end_in_the_reverse_order_of_their_start(tmp_path):
    processes = Processes(tmp_path)
    for name in ("one", "two"):
        processes.start(python(processes, name, POLITE))
    assert processes.stop() == (
        Ended("two", 0, killed=False),
        Ended("one", 0, killed=False),
    )
    assert processes.names == ()


def test_a_process_that_ignores_sigterm_is_killed(tmp_path):
    processes = Processes(tmp_path)
    processes.start(python(processes, "deaf", STUBBORN))
    assert processes.stop(grace_seconds=0.2) == (
        Ended("deaf", -signal.SIGKILL, killed=True),
    )


def test_grandchildren_go_with_their_parent(tmp_path):
    processes = Processes(tmp_path)
    processes.start(python(processes, "family", FAMILY))
    grandchild = int(processes.log_path("family").read_text())
    assert runs(grandchild)
    ended = processes.end("family")
    assert (ended.exit_code, ended.clean) == (-signal.SIGTERM, False)
    assert wait_until_gone(grandchild)


def test_a_process_that_dies_at_its_start_is_told_with_its_last_words(
    tmp_path,
):
    dying = "import sys; sys.exit('no port is free')"
    with Processes(tmp_path) as processes:
        program = Program("web", (sys.executable, "-c", dying), {}, ready=bool)
        with pytest.raises(ProcessFault) as fault:
            processes.start(program)
        assert "web ended with exit code 1" in str(fault.value)
        assert "no port is free" in str(fault.value)
        assert processes.stop() == (Ended("web", 1, killed=False),)


def test_a_program_that_does_not_exist_is_told_by_its_name(tmp_path):
    with Processes(tmp_path) as processes:
        program = Program("web", ("/no/such/program",), ready=bool)
        with pytest.raises(ProcessFault, match="No such file"):
            processes.start(program)


def test_a_process_that_is_never_ready_is_given_up(tmp_path):
    with Processes(tmp_path) as processes:
        program = Program(
            "slow",
            (sys.executable, "-c", SLEEPER),
            {},
            ready=bool,
            ready_seconds=0.2,
        )
        with pytest.raises(ProcessFault, match=r"not ready within 0\.2 s"):
            processes.start(program)


def test_a_process_that_ends_later_is_noticed_by_a_check(tmp_path):
    with Processes(tmp_path) as processes:
        processes.start(python(processes, "one", SLEEPER))
        os.kill(processes.pid("one"), signal.SIGKILL)
        assert wait_until_gone(processes.pid("one"))
        with pytest.raises(ProcessFault, match="exit code -9"):
            processes.check("one")


def test_a_process_can_be_started_again_under_its_name(tmp_path):
    with Processes(tmp_path) as processes:
        processes.start(python(processes, "one", SLEEPER))
        first = processes.pid("one")
        with pytest.raises(ProcessFault, match="running already"):
            processes.start(processes.program("one"))
        processes.restart("one")
        assert processes.pid("one") != first
        assert not runs(first)


def test_a_process_inherits_nothing_of_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("A_SECRET", "told")
    show = "import os; print(sorted(os.environ), flush=True)"
    with Processes(tmp_path) as processes:
        log = processes.log_path("one")
        program = Program(
            "one",
            (sys.executable, "-c", f"{show}; {SLEEPER}"),
            {"LC_CTYPE": "C", "MINE": "1"},
            ready=lambda: log.stat().st_size > 0,
        )
        processes.start(program)
        assert log.read_text().startswith("['LC_CTYPE', 'MINE']")


def test_nothing_outlives_a_parent_that_was_killed(tmp_path):
    parent = (
        "import sys, time, pathlib\n"
        "from deploy.local.processes import Processes, Program\n"
        "processes = Processes(pathlib.Path(sys.argv[1]))\n"
        "log = processes.log_path('one')\n"
        f"program = Program('one', (sys.executable, '-c', {SLEEPER!r}),\n"
        "    ready=lambda: log.stat().st_size > 0)\n"
        "processes.start(program)\n"
        "print(processes.pid('one'), flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", parent, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
    ) as killed:
        child = int(killed.stdout.readline())
        assert runs(child)
        killed.kill()
    assert wait_until_gone(child)
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
