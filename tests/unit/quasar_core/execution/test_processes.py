import os
import signal
import subprocess

import pytest
from quasar_core.execution.processes import Namespace, end_named, is_zombie


@pytest.fixture
def process():
    with subprocess.Popen(["/bin/sleep", "60"]) as process:
        yield process
        process.kill()


def test_a_namespace_is_known_by_its_init_and_when_it_began(process):
    found = Namespace.of(process.pid)
    assert found is not None
    assert found.alive
    assert not Namespace(process.pid, found.started + 1).alive


def test_a_killed_init_is_dead_even_before_it_is_buried(process):
    found = Namespace.of(process.pid)
    found.kill()
    assert not found.alive
    assert is_zombie(process.pid)
    found.kill()


def test_another_process_with_the_same_pid_is_never_killed(process):
    found = Namespace.of(process.pid)
    Namespace(process.pid, found.started - 1).kill()
    assert process.poll() is None


def test_processes_end_by_a_word_that_no_other_has(process):
    words = ["/bin/sh", "-c", "sleep 60; :", "a-word-of-its-own"]
    with subprocess.Popen(words) as named:
        end_named("a-word")
        assert named.poll() is None
        end_named("a-word-of-its-own")
        assert named.wait(5) == -signal.SIGKILL
    assert process.poll() is None


def test_a_pid_that_nobody_has_is_no_namespace():
    assert Namespace.of(2**22 + 1) is None
    assert is_zombie(2**22 + 1)


def test_this_process_is_no_zombie():
    assert not is_zombie(os.getpid())
