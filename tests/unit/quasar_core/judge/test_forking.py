import json
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
from contextlib import contextmanager
from pathlib import Path

import pytest
from quasar_core.judge import forking
from quasar_core.judge.forking import Server, own_server

from tests.support.waiting import eventually

# A server whose referees do what standard input asks.
PUPPETS = (
    "import quasar_core.judge.forkserver as f; f.REFEREE = 'puppet'; f.main()"
)
PUPPET = """
import json, os, random, signal, sys, time

def main(answers, scratch):
    def say(**told):
        os.write(answers, json.dumps(told).encode())
    exec(json.loads(sys.stdin.readline()))
"""


@pytest.fixture
def servers(tmp_path, monkeypatch):
    (tmp_path / "puppet.py").write_text(PUPPET)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(forking, "COMMAND", (sys.executable, "-c", PUPPETS))
    with_end = Server()
    yield with_end
    with_end.close()


class Play:
    """One forked puppet, and what it says and prints."""

    def __init__(self, servers, deed, **options):
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 -- with play
        self.reader, writer = os.pipe()
        self.referee = servers.fork(
            "scratch", answers=writer, errors=self.errors.fileno(), **options
        )
        os.close(writer)
        line = json.dumps(textwrap.dedent(deed)) + "\n"
        self.referee.stdin.write(line.encode())
        self.referee.stdin.flush()

    def said(self):
        return json.loads(os.read(self.reader, 65_536))

    def printed(self):
        self.errors.seek(0)
        return self.errors.read().decode()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.referee.stdin.close()
        self.referee.kill()
        self.referee.wait()
        os.close(self.reader)
        self.errors.close()


def test_a_fork_finds_what_a_new_process_would(servers, tmp_path, monkeypatch):
    look = """
        say(pid=os.getpid(), session=os.getsid(0), folder=os.getcwd(),
            word=os.environ.get("A_WORD"), chance=random.random(),
            scratch=str(scratch), parent=os.getppid(),
            open=len(os.listdir("/proc/self/fd")))
        print("printed", flush=True)
    """
    found = []
    for word in ("first", "second"):
        monkeypatch.setenv("A_WORD", word)
        (tmp_path / word).mkdir()
        monkeypatch.chdir(tmp_path / word)
        with Play(servers, look) as play:
            found.append(play.said())
            assert play.referee.wait(10) == 0
            assert play.printed() == "printed\n"
    for word, one in zip(("first", "second"), found, strict=True):
        assert one["word"] == word
        assert one["folder"] == str(tmp_path / word)
        assert one["session"] == one["pid"]
        assert one["scratch"] == "scratch"
        # three of its own, the answers', and the folder that is looked at
        assert one["open"] == 5
    first, second = found
    assert first["parent"] == second["parent"] != os.getpid()
    assert first["pid"] != second["pid"]
    assert first["chance"] != second["chance"]


@pytest.mark.parametrize(
    ("deed", "status", "printed"),
    [
        ("sys.exit(3)", 3, ""),
        ("raise ValueError('a bug')", 1, "ValueError: a bug"),
        ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL, ""),
        ("os.abort()", -signal.SIGABRT, ""),
    ],
)
def test_an_end_is_told_as_a_processs_is(servers, deed, status, printed):
    with Play(servers, deed) as play:
        assert play.referee.wait(30) == status
        assert play.referee.returncode == status
        assert printed in play.printed()


def test_modules_are_there_before(servers):
    with Play(
        servers,
        "say(there='json.tool' in sys.modules)",
        modules=("json.tool", "no_such_module"),
    ) as play:
        assert play.said() == {"there": True}
        assert play.referee.wait(30) == 0


def test_two_at_once_end_each_for_itself(servers):
    sleep = "say(open=len(os.listdir('/proc/self/fd'))); time.sleep(60)"
    with Play(servers, sleep) as first, Play(servers, sleep) as second:
        # the second one holds nothing of the first
        assert first.said() == second.said()
        second.referee.kill()
        assert second.referee.wait(10) == -signal.SIGKILL
        with pytest.raises(subprocess.TimeoutExpired):
            first.referee.wait(0.1)
        first.referee.kill()
        first.referee.kill()
        assert first.referee.wait(10) == -signal.SIGKILL


def test_one_whose_server_dies_is_killed_and_the_next_is_served(servers):
    sleep = "say(parent=os.getppid()); time.sleep(60)"
    with Play(servers, sleep) as play:
        parent = play.said()["parent"]
        os.kill(parent, signal.SIGKILL)
        assert play.referee.wait(10) == -signal.SIGKILL
    with Play(servers, sleep) as play:
        assert play.said()["parent"] != parent


@contextmanager
def unspoken(servers):
    """A referee that was asked for, and is told nothing."""
    reader, writer = os.pipe()
    with tempfile.TemporaryFile() as errors:
        referee = servers.fork("s", answers=writer, errors=errors.fileno())
        yield referee
    referee.stdin.close()
    os.close(reader)
    os.close(writer)


def test_a_server_that_cannot_begin_is_told_by_its_status(
    servers, monkeypatch
):
    command = (sys.executable, "-c", "import sys; sys.stdin.read(); exit(4)")
    monkeypatch.setattr(forking, "COMMAND", command)
    with unspoken(servers) as referee:
        assert referee.wait(30) == 4


def test_a_server_that_ended_without_reading_costs_its_own_job_alone(
    servers, monkeypatch
):
    with monkeypatch.context() as broken:
        broken.setattr(forking, "COMMAND", (sys.executable, "-c", "exit(4)"))
        with unspoken(servers) as referee:
            assert referee.wait(30) == 4
    with Play(servers, "say(well=True)") as play:
        assert play.said() == {"well": True}


def test_a_server_that_does_not_fork_is_killed(servers, monkeypatch):
    command = (sys.executable, "-c", "import time; time.sleep(60)")
    monkeypatch.setattr(forking, "COMMAND", command)
    monkeypatch.setattr(forking, "ENDING_SECONDS", 0.1)
    with unspoken(servers) as referee:
        referee.kill()
        assert referee.wait(30) == -signal.SIGKILL


def test_a_server_ends_with_its_owner(tmp_path, servers):
    program = """
        import os, tempfile
        from quasar_core.judge import forking
        forking.COMMAND = {command!r}
        reader, writer = os.pipe()
        errors = tempfile.TemporaryFile()
        one = forking.own_server().fork(
            "s", answers=writer, errors=errors.fileno()
        )
        one.stdin.write(b'"say(parent=os.getppid())"\\n')
        one.stdin.flush()
        print(os.read(reader, 100).decode(), flush=True)
        os._exit(0)
    """
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            textwrap.dedent(program).format(command=forking.COMMAND),
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    parent = json.loads(told)["parent"]
    eventually(lambda: not Path(f"/proc/{parent}").exists(), seconds=20)


def test_a_process_has_one_server():
    assert own_server() is own_server()
