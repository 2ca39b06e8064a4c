"""What a payload can leave behind: nothing, whoever dies first."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from quasar_core.execution.sandbox import Ending, Mount

from tests.support.sandboxes import (
    SMALL,
    cgroups_named,
    processes_with,
    python_job,
    remains_of,
    sandbox_in,
    shell_job,
)
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[3]

DAEMONS = """
import os, signal, sys, time
for _ in range(5):
    if not os.fork():
        os.setsid()
        for each in range(1, 65):
            if each not in (9, 19, 32, 33):
                signal.signal(each, signal.SIG_IGN)
        if os.fork():
            os._exit(0)
        while True:
            time.sleep(60)
"""


def name_of(pid):
    """A process's short name; bubblewrap's where it is gone by now."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return "bwrap"


def lease_of(directory):
    (lease,) = (directory / "leases").glob("*.lease")
    return lease.stem


def test_five_daemons_immune_to_sigterm_end_with_the_payload(sandbox):
    word = "daemons-that-outlive"
    outcome = sandbox.start(python_job(DAEMONS, word)).wait()
    assert outcome.ending is Ending.OK
    assert processes_with(word) == []


def test_daemons_end_when_the_sandbox_is_killed(sandbox, tmp_path):
    word = "daemons-that-are-killed"
    program = DAEMONS + "print('up', flush=True)\ntime.sleep(60)"
    running = sandbox.start(python_job(program, word))
    eventually(lambda: len(processes_with(word)) >= 6)
    name = lease_of(tmp_path)
    assert remains_of(sandbox, name) != []
    assert running.kill().ending is Ending.KILLED
    assert processes_with(word) == []
    assert remains_of(sandbox, name) == []


def test_a_payload_cannot_end_its_sandbox_from_the_middle(sandbox):
    outcome = sandbox.start(
        shell_job("kill -9 1; kill -TERM 1; kill -SEGV 1; echo here")
    ).wait()
    assert (outcome.ending, outcome.stdout) == (Ending.OK, b"here\n")


@pytest.mark.parametrize(
    ("program", "ending", "number"),
    [
        ("import os; os._exit(0)", Ending.OK, None),
        ("raise SystemExit(0)", Ending.OK, None),
        ("raise SystemExit(3)", Ending.NONZERO, None),
        ("import os; os.abort()", Ending.SIGNAL, signal.SIGABRT),
        ("import os; os.kill(os.getpid(), 9)", Ending.SIGNAL, signal.SIGKILL),
        (
            "import ctypes; ctypes.string_at(0)",
            Ending.SIGNAL,
            signal.SIGSEGV,
        ),
        ("import os; os.execv('/nowhere', ['x'])", Ending.NONZERO, None),
    ],
)
def test_an_end_is_told_as_it_was(sandbox, program, ending, number):
    outcome = sandbox.start(python_job(program)).wait()
    assert (outcome.ending, outcome.signal) == (ending, number)


def test_no_payload_can_pass_its_failure_off_as_the_hosts(sandbox):
    outcome = sandbox.start(
        shell_job("echo 'bwrap: Creating new namespace failed' >&2; exit 1")
    ).wait()
    assert outcome.ending is Ending.NONZERO


def test_a_frozen_payload_stands_still_and_goes_on(sandbox):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        job = python_job(
            """
            import socket, sys, time
            link = socket.socket(fileno=int(sys.argv[1]))
            while True:
                link.send(b".")
                time.sleep(0.01)
            """,
            str(theirs.fileno()),
            pass_fds=(theirs.fileno(),),
        )
        with sandbox.start(job) as running:
            ours.recv(1)
            running.freeze()
            ours.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while ours.recv(4096):
                    pass
            threading.Event().wait(0.2)
            with pytest.raises(BlockingIOError):
                ours.recv(1)
            running.thaw()
            ours.setblocking(True)
            assert ours.recv(1) == b"."
            running.freeze()
            assert running.kill().ending is Ending.KILLED


SUPERVISOR = f"""
import sys, time
from pathlib import Path
from tests.support.sandboxes import python_job, sandbox_in
settings = {{"use_cgroups": False}} if sys.argv[4] == "rlimits" else {{}}
running = sandbox_in(Path(sys.argv[1]), sys.argv[3], **settings).start(
    python_job({DAEMONS!r} + "time.sleep(60)", sys.argv[2]))
print("started", flush=True)
time.sleep(60)
"""


@pytest.fixture
def supervised(tmp_path):
    """A supervisor in a process of its own, its daemons up."""
    started = []

    def start(word, backend="bubblewrap", how="limited"):
        about = (
            {"host": os.environ["DOCKER_HOST"]} if backend == "docker" else {}
        )
        made.append(sandbox_in(tmp_path, backend, **about))
        words = (str(tmp_path), word, backend, how)
        process = subprocess.Popen(
            [sys.executable, "-c", SUPERVISOR, *words],
            cwd=ROOT,
            stdout=subprocess.PIPE,
        )
        started.append(process)
        assert process.stdout.readline() == b"started\n"
        eventually(lambda: len(processes_with(word)) >= 6)
        return process

    made = []
    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()
    for sandbox in made:
        sandbox.sweep()


@pytest.mark.parametrize("how", ["limited", "rlimits"])
def test_a_killed_supervisor_leaves_nothing_running(
    tmp_path, supervised, backend, how
):
    if backend == "docker" and how == "rlimits":
        pytest.skip("an engine always has groups")
    word = f"orphans-of-{how}"
    supervisor = supervised(word, backend, how)
    name = lease_of(tmp_path)
    supervisor.kill()
    supervisor.wait()
    eventually(lambda: processes_with(word) == [])
    sandbox = sandbox_in(tmp_path, backend)
    assert sandbox.sweep() == 1
    assert sandbox.sweep() == 0
    assert remains_of(sandbox, name) == []
    assert list((tmp_path / "leases").glob("*.lease")) == []


AT_ONCE = """
import os, sys
from pathlib import Path
from tests.support.sandboxes import sandbox_in, shell_job
settings = {"use_cgroups": False} if sys.argv[3] == "rlimits" else {}
sandbox = sandbox_in(Path(sys.argv[1]), **settings)
kept = [sandbox.start(shell_job("sleep 60; : " + sys.argv[2]))
        for _ in range(8)]
os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("how", ["limited", "rlimits"])
def test_a_supervisor_killed_while_its_sandboxes_start_leaves_none(
    tmp_path, how
):
    """bubblewrap's init lets itself be ended only late in its start."""
    word = f"started-in-vain-{how}"
    words = (str(tmp_path), word, how)
    ended = subprocess.run(
        [sys.executable, "-c", AT_ONCE, *words], cwd=ROOT, check=False
    )
    assert ended.returncode == -signal.SIGKILL
    # one that was still being set up waits for good, and runs nothing
    eventually(
        lambda: {name_of(pid) for pid in processes_with(word)} <= {"bwrap"}
    )
    assert sandbox_in(tmp_path).sweep() == 8
    assert processes_with(word) == []


@pytest.mark.parametrize("backend", ["bubblewrap"], indirect=True)
def test_a_sweep_ends_an_init_that_outlived_its_launcher(sandbox, tmp_path):
    """As if PR_SET_PDEATHSIG had failed."""
    word = "outlived-its-launcher"
    with sandbox.start(python_job(DAEMONS + "time.sleep(60)", word)) as run:
        eventually(lambda: len(processes_with(word)) >= 6)
        lease = next((tmp_path / "leases").glob("*.lease"))
        orphaned = tmp_path / "other" / "leases" / lease.name
        orphaned.parent.mkdir(parents=True, mode=0o700)
        orphaned.write_text(lease.read_text())
        assert sandbox_in(tmp_path / "other").sweep() == 1
        assert processes_with(word) == []
        assert run.wait(5).ending is Ending.INFRA
        assert not orphaned.exists()


def test_a_sweep_ends_what_is_left_in_a_group(tmp_path, supervised):
    supervisor = supervised("left-in-a-group")
    name = lease_of(tmp_path)
    supervisor.kill()
    supervisor.wait()
    eventually(lambda: processes_with("left-in-a-group") == [])
    survivor = subprocess.Popen(["/bin/sleep", "60"])
    group = cgroups_named(name)[0]
    (group / "cgroup.procs").write_text(str(survivor.pid))
    assert sandbox_in(tmp_path).sweep() == 1
    assert survivor.wait(5) == -signal.SIGKILL
    assert cgroups_named(name) == []


def test_a_sweep_leaves_the_sandboxes_of_the_living_alone(
    tmp_path, supervised, backend
):
    word = "neighbours-at-work"
    supervised(word, backend)
    assert sandbox_in(tmp_path, backend).sweep() == 0
    assert len(processes_with(word)) >= 6


def test_a_supervisor_that_ends_in_peace_takes_its_sandbox_along(
    tmp_path, backend
):
    word = "left-at-the-exit"
    program = SUPERVISOR.replace("time.sleep(60)\n", "")
    subprocess.run(
        [sys.executable, "-c", program, str(tmp_path), word, backend, ""],
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
        timeout=30,
    )
    assert processes_with(word) == []
    assert list((tmp_path / "leases").glob("*.lease")) == []


def test_a_sandbox_outlives_the_thread_that_asked_for_it(sandbox):
    """PR_SET_PDEATHSIG fires when the spawning thread ends."""
    kept = []
    thread = threading.Thread(
        target=lambda: kept.append(sandbox.start(shell_job("sleep 0.5")))
    )
    thread.start()
    thread.join()
    assert kept[0].wait().ending is Ending.OK


def test_hostile_names_stay_inside(sandbox, tmp_path):
    """Links, pipes, sparse files, depth, escapes: all in a tmpfs of its."""
    mounted = tmp_path / "seen"
    mounted.mkdir(mode=0o755)
    outcome = sandbox.start(
        python_job(
            """
            import os
            os.symlink("/etc/passwd", "/tmp/link")
            try:
                os.mkfifo("/tmp/pipe")
            except PermissionError:
                print("no pipe")
            with open("/tmp/sparse", "wb") as file:
                file.truncate(1 << 40)
            os.mkdir("/tmp/\\x1b]0;owned\\x07")
            os.chdir("/tmp")
            for _ in range(600):
                os.mkdir("d")
                os.chdir("d")
            print("done")
            """,
            mounts=(Mount(mounted, Path("/opt/seen")),),
        )
    ).wait()
    assert outcome.stdout == b"no pipe\ndone\n"
    assert list(mounted.iterdir()) == []


def test_the_wall_limit_runs_while_frozen(sandbox):
    job = shell_job("sleep 60", limits=replace(SMALL, wall_seconds=1))
    with sandbox.start(job) as running:
        eventually(lambda: running._supervision.ready)
        running.freeze()
        assert running.wait(10).ending is Ending.TIMEOUT
