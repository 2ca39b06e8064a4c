import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from quasar_core.execution import docker_launcher
from quasar_core.execution.docker_link import Link
from quasar_core.execution.seccomp import filter_program


@pytest.fixture
def launched(tmp_path):
    """The first process, here instead of in a container."""
    made = []

    def launch(argv, numbers=(), passed=(), **changes):
        link = Link(tmp_path / "socket")
        process = subprocess.Popen(
            [sys.executable, "-I", docker_launcher.__file__, link.path]
        )
        made.append((link, process))
        wake = os.eventfd(0)
        link.accept(wake, time.monotonic() + 20)
        reader, writer = os.pipe()
        job = {
            "argv": argv,
            "environment": {"PATH": os.environ["PATH"]},
            "directory": "/",
            "numbers": list(numbers),
            "nofile": 64,
            "seconds": 60,
            "filter": filter_program().hex(),
            **changes,
        }
        link.hand_over(job, [writer, writer, *passed])
        os.close(writer)
        assert link.is_ready(wake, time.monotonic() + 20)
        os.close(wake)
        return link, process, reader

    # It asks for no new privileges only inside a container.
    if os.geteuid() != 0:
        pytest.skip("only root may set a filter without no-new-privileges")
    yield launch
    for link, process in made:
        link.close()
        process.kill()
        process.wait()


def ended(link):
    link.wire.settimeout(20)
    assert link.wire.recv(1, socket.MSG_PEEK)
    return link.exit_code()


def output(reader):
    with os.fdopen(reader, "rb") as said:
        return said.read()


def test_a_payload_ends_with_its_own_code(launched):
    link, process, reader = launched(["/bin/sh", "-c", "echo well; exit 7"])
    assert ended(link) == 7
    assert output(reader) == b"well\n"
    link.close()
    assert process.wait(20) == 0


def test_a_signal_is_told_as_a_shell_would(launched):
    link, _, reader = launched(["/bin/sh", "-c", "kill -9 $$"])
    assert ended(link) == 128 + signal.SIGKILL
    os.close(reader)


def test_descriptors_have_the_numbers_that_they_had(launched):
    with Path("/dev/zero").open("rb") as zero:
        program = "ls /proc/self/fd | sort -n | xargs; ulimit -n"
        link, _, reader = launched(
            ["/bin/sh", "-c", program], (70,), (zero.fileno(),)
        )
        assert ended(link) == 0
    # 3 is the folder that is being listed.
    assert output(reader) == b"0 1 2 3 70\n64\n"


def test_a_payload_that_cannot_be_started_says_so_itself(launched):
    link, _, reader = launched(["/not/there"])
    assert ended(link) == docker_launcher.NOT_FOUND
    assert output(reader) == b"/not/there: No such file or directory\n"


def test_whatever_runs_ends_when_the_other_side_hangs_up(launched):
    link, process, reader = launched(["/bin/sleep", "60"])
    link.close()
    assert process.wait(20) == 0
    os.close(reader)


def test_whatever_runs_ends_at_its_outermost_deadline(launched):
    _, process, reader = launched(["/bin/sleep", "60"], seconds=0.1)
    assert process.wait(20) == 0
    os.close(reader)
