import gc
import os
import time

import pytest
from quasar_core.execution import bubblewrap_run
from quasar_core.execution.cgroups import CgroupV1, CgroupV2
from quasar_core.execution.sandbox import Ending, SandboxUnavailable

from tests.support.sandboxes import (
    open_descriptors,
    processes_with,
    python_job,
    sandbox_in,
    shell_job,
)
from tests.support.waiting import eventually


@pytest.fixture
def sandbox(tmp_path):
    return sandbox_in(tmp_path)


def leases(directory):
    return list((directory / "leases").glob("*.lease"))


def test_a_wait_may_be_cut_short_and_taken_up_again(sandbox):
    with sandbox.start(shell_job("sleep 0.3; exit 3")) as running:
        assert running.wait(0.01) is None
        assert running.alive
        assert running.wait().exit_code == 3
        assert not running.alive
        assert running.wait() is running.kill()


def test_a_kill_may_be_repeated(sandbox):
    running = sandbox.start(shell_job("sleep 60"))
    first = running.kill()
    assert first.ending is Ending.KILLED
    assert running.kill() is first


def test_freezing_what_is_over_does_nothing(sandbox):
    running = sandbox.start(shell_job("true"))
    running.wait()
    running.freeze()
    running.thaw()


@pytest.mark.parametrize("use_cgroups", [True, False])
def test_a_frozen_sandbox_stands_still_with_and_without_groups(
    tmp_path, use_cgroups
):
    sandbox = sandbox_in(tmp_path, use_cgroups=use_cgroups)
    with sandbox.start(shell_job("while :; do echo; done")) as running:
        said = running._supervision.stdout._sink
        eventually(lambda: said.total > 0)
        running.freeze()
        eventually(lambda: stands_still(said))
        before = said.total
        time.sleep(0.1)
        assert said.total == before
        running.thaw()
        eventually(lambda: said.total > before)
        running.freeze()
        assert running.kill().ending is Ending.KILLED


def stands_still(stream):
    before = stream.total
    time.sleep(0.02)
    return stream.total == before


def test_leaving_the_block_ends_the_sandbox(sandbox, tmp_path):
    with sandbox.start(shell_job("sleep 60")) as running:
        assert len(leases(tmp_path)) == 1
    assert not running.alive
    assert leases(tmp_path) == []


def test_a_sandbox_that_is_forgotten_ends(sandbox, tmp_path):
    running = sandbox.start(python_job("input()", "forgotten-by-all"))
    del running
    gc.collect()
    eventually(lambda: leases(tmp_path) == [])
    assert processes_with("forgotten-by-all") == []


def test_no_descriptor_of_ours_stays_open(sandbox):
    sandbox.start(shell_job("true")).wait()
    before = open_descriptors()
    for _ in range(5):
        sandbox.start(shell_job("true")).wait()
        with sandbox.start(shell_job("sleep 60")):
            pass
    assert open_descriptors() == before


def test_the_init_is_known_to_whoever_watches(sandbox):
    with sandbox.start(shell_job("sleep 60")) as running:
        eventually(lambda: running.init_pid is not None)
        os.kill(running.init_pid, 0)


def test_a_process_that_cannot_start_is_told_at_the_start(
    sandbox, monkeypatch, tmp_path
):
    def fail(*words, **more):
        raise OSError(11, "no more processes")

    monkeypatch.setattr(bubblewrap_run, "spawn", fail)
    with pytest.raises(SandboxUnavailable, match="no more processes"):
        sandbox.start(shell_job("true"))
    assert leases(tmp_path) == []


def test_a_group_that_cannot_be_made_is_told_at_the_start(
    sandbox, monkeypatch, tmp_path
):
    def fail(self, limits):
        raise OSError(28, "no space")

    monkeypatch.setattr(CgroupV1, "limit", fail)
    monkeypatch.setattr(CgroupV2, "limit", fail)
    with pytest.raises(SandboxUnavailable, match="no space"):
        sandbox.start(shell_job("true"))
    assert leases(tmp_path) == []


def test_what_does_not_end_is_told_and_left_to_a_sweep(
    sandbox, monkeypatch, tmp_path
):
    def fail(self):
        raise TimeoutError("it does not end")

    with monkeypatch.context() as patched:
        for each in (CgroupV1, CgroupV2):
            patched.setattr(each, "destroy", fail)
        running = sandbox.start(shell_job("true"))
        with pytest.raises(SandboxUnavailable, match="does not end"):
            running.wait()
    assert sandbox.sweep() == 1
    assert leases(tmp_path) == []


def test_the_wall_clock_starts_with_the_sandbox(sandbox):
    started = time.monotonic()
    outcome = sandbox.start(shell_job("sleep 0.2")).wait()
    assert 0.2 <= outcome.wall_seconds <= time.monotonic() - started
