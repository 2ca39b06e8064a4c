import os
import signal
import time

import pytest
from quasar_core.execution import docker_run
from quasar_core.execution.sandbox import Ending, SandboxUnavailable

from tests.support.sandboxes import (
    open_descriptors,
    shell_job,
)
from tests.support.waiting import eventually


def test_no_descriptor_of_ours_stays_open(docker_sandbox):
    docker_sandbox.start(shell_job("true")).wait()
    before = open_descriptors()
    docker_sandbox.start(shell_job("true")).wait()
    with docker_sandbox.start(shell_job("sleep 60")):
        pass
    assert open_descriptors() == before


def test_a_sandbox_whose_group_is_out_of_reach_is_frozen_by_its_engine(
    docker_sandbox, monkeypatch
):
    monkeypatch.setattr(docker_run, "group_of", lambda pid, name: None)
    job = shell_job("while :; do echo; done")
    with docker_sandbox.start(job) as running:
        said = running._supervision.stdout
        eventually(lambda: said.total > 0)
        running.freeze()
        running.freeze()
        eventually(lambda: stands_still(said))
        running.thaw()
        running.thaw()
        before = said.total
        eventually(lambda: said.total > before)
        running.freeze()
        assert running.kill().ending is Ending.KILLED


def stands_still(stream):
    before = stream.total
    time.sleep(0.02)
    return stream.total == before


def test_a_first_process_that_is_killed_from_outside_is_the_hosts_fault(
    docker_sandbox,
):
    with docker_sandbox.start(shell_job("sleep 60")) as running:
        eventually(lambda: running._supervision.ready)
        group = running._supervision.cgroup.paths[-1]
        listed = (group / "cgroup.procs").read_text().split()
        init = min(map(int, listed))
        os.kill(init, signal.SIGKILL)
        assert running.wait(20).ending is Ending.INFRA


def test_a_container_that_takes_too_long_to_start_is_the_hosts_fault(
    docker_sandbox, monkeypatch
):
    monkeypatch.setattr(docker_run, "START_SECONDS", 0)
    running = docker_sandbox.start(shell_job("true"))
    assert running.wait(20).ending is Ending.INFRA


def test_a_container_that_is_killed_while_it_starts_was_killed(
    docker_sandbox,
):
    running = docker_sandbox.start(shell_job("sleep 60"))
    assert running.kill().ending is Ending.KILLED


def test_a_container_that_does_not_end_is_told_and_left_to_a_sweep(
    docker_sandbox, monkeypatch, tmp_path
):
    def fail(api, name):
        raise TimeoutError("a container does not end")

    with monkeypatch.context() as patched:
        patched.setattr(docker_run, "remove", fail)
        running = docker_sandbox.start(shell_job("true"))
        with pytest.raises(SandboxUnavailable, match="does not end"):
            running.wait()
    assert docker_sandbox.sweep() == 1
    assert list((tmp_path / "leases").glob("*.lease")) == []
