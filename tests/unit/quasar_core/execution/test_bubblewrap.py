import shutil

import pytest
from quasar_core.execution.bubblewrap import BubblewrapSandbox
from quasar_core.execution.sandbox import (
    Ending,
    Job,
    SandboxUnavailable,
)

from tests.support.sandboxes import sandbox_in, shell_job

JOB = Job(argv=("/bin/true",))


def test_a_missing_bubblewrap_is_told_with_what_to_install(
    monkeypatch, tmp_path
):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(SandboxUnavailable, match="apt-get install bubblewr"):
        sandbox_in(tmp_path).preflight()


def test_a_bubblewrap_that_cannot_work_is_told_in_its_own_words(
    monkeypatch, tmp_path
):
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho 'bwrap: no namespaces' >&2; exit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(broken))
    sandbox = sandbox_in(tmp_path)
    outcome = sandbox.start(JOB).wait()
    assert outcome.ending is Ending.INFRA
    with pytest.raises(SandboxUnavailable, match="bwrap: no namespaces"):
        sandbox.preflight()


def test_degraded_limits_are_refused_unless_they_are_allowed(tmp_path):
    with pytest.raises(SandboxUnavailable, match="systemd-run"):
        sandbox_in(tmp_path, use_cgroups=False).preflight()
    allowed = sandbox_in(tmp_path, use_cgroups=False, allow_degraded=True)
    isolation = allowed.preflight()
    assert isolation.degraded
    assert isolation.holds


def test_a_root_that_only_calls_itself_nobody_is_found_out(tmp_path):
    """bwrap --unshare-user --uid 65534 leaves the outer uid 0."""
    with pytest.raises(SandboxUnavailable, match="uid_dropped"):
        sandbox_in(tmp_path, user_namespace=True).preflight()


def test_a_first_sweep_finds_nothing(tmp_path):
    assert sandbox_in(tmp_path).sweep() == 0


def test_each_start_stands_by_itself(tmp_path):
    sandbox = sandbox_in(tmp_path)
    first = sandbox.start(shell_job("echo 1 > /tmp/kept"))
    assert first.wait().ending is Ending.OK
    second = sandbox.start(shell_job("cat /tmp/kept"))
    assert second.wait().ending is Ending.NONZERO


def test_a_sandbox_knows_its_name_and_version():
    assert BubblewrapSandbox().name == "bubblewrap"
    assert BubblewrapSandbox().version().startswith("bubblewrap ")
