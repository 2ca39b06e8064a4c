"""What is said of a machine; a fit one is met in the integration tests."""

import pytest
from quasar_core.doctor import machine
from quasar_core.execution.sandbox import Isolation, SandboxUnavailable
from quasar_core.worker.settings import WorkerSettings


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return WorkerSettings(state_directory=tmp_path / "not" / "yet")


def named(findings):
    return {each.name: each for each in findings}


def test_what_is_missing_is_told_with_how_to_get_it(settings, monkeypatch):
    monkeypatch.setattr(
        machine, "installed_versions", lambda: {"torch": "missing"}
    )
    (found,) = machine.check_versions(settings)
    assert found.ok is False
    assert "quasar-subnet[benchmark-worker]" in found.fix


class FakeSandbox:
    def __init__(self, degraded):
        self._degraded = degraded

    def preflight(self):
        return Isolation("fake", {"no_network": True}, self._degraded)


def test_a_machine_without_limits_is_unfit_unless_that_is_allowed(
    settings, monkeypatch
):
    monkeypatch.setattr(
        machine, "choose_sandbox", lambda *_, **__: FakeSandbox(True)
    )
    found = named(machine.check_sandbox(settings))
    assert found["sandbox"].ok is True
    assert (found["cgroups"].ok, found["cgroups"].needed) == (False, True)
    assert "QUASAR_ALLOW_DEGRADED" in found["cgroups"].fix
    lenient = settings.model_copy(update={"allow_degraded": True})
    found = named(machine.check_sandbox(lenient))
    assert found["cgroups"].needed is False


def test_a_machine_without_a_sandbox_is_told_what_to_install(
    settings, monkeypatch
):
    def missing(*_, **__):
        raise SandboxUnavailable("install bubblewrap")

    monkeypatch.setattr(machine, "choose_sandbox", missing)
    (found,) = machine.check_sandbox(settings)
    assert (found.ok, found.fix) == (False, "install bubblewrap")


@pytest.mark.parametrize(
    ("said", "ok"),
    [
        ("git version 2.39.5", True),
        ("git version 3.0.0-rc1", True),
        ("git version 2.20.1", False),
        ("something else", False),
    ],
)
def test_an_old_git_is_told_of(settings, monkeypatch, said, ok):
    class Done:
        stdout = said

    monkeypatch.setattr(machine.subprocess, "run", lambda *_, **__: Done)
    (found,) = machine.check_git(settings)
    assert found.ok is ok
    assert "2.36" in found.fix


def test_a_machine_without_git_is_told_of(settings, monkeypatch):
    monkeypatch.setattr(machine.shutil, "which", lambda _: None)
    (found,) = machine.check_git(settings)
    assert found.detail == "missing"


def test_room_is_looked_for_where_the_state_will_lie(settings):
    (found,) = machine.check_disk(settings, least_bytes=1)
    assert found.ok is True
    assert str(settings.state_directory) in found.detail
    assert not settings.state_directory.exists()


def test_a_disk_that_is_too_full_is_told_of(settings):
    (found,) = machine.check_disk(settings, least_bytes=1 << 62)
    assert found.ok is False
    assert "QUASAR_STATE_DIRECTORY" in found.fix
