"""What the doctor says of a machine; the fit one is in integration."""

import pytest
from quasar_core.execution.sandbox import Isolation, SandboxUnavailable
from quasar_core.worker.locks import FileLock

from services.benchmark_worker import doctor
from services.benchmark_worker.settings import Settings
from tests.support.valkey import free_port


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Settings(
        redis_url=f"redis://127.0.0.1:{free_port()}/0",
        state_directory=tmp_path / "state",
        lock_directory=tmp_path / "locks",
        worker_name="worker-1",
    )


def named(findings):
    return {each.name: each for each in findings}


def test_what_is_missing_is_told_with_how_to_get_it(settings, monkeypatch):
    monkeypatch.setattr(
        doctor, "installed_versions", lambda: {"torch": "missing"}
    )
    (found,) = doctor.check_versions(settings)
    assert found.ok is False
    assert "quasar-subnet[benchmark-worker]" in found.fix


def test_a_broker_that_is_away_is_told_with_its_variable(settings):
    (found,) = doctor.check_broker(settings)
    assert found.ok is False
    assert "QUASAR_REDIS_URL" in found.fix


class FakeSandbox:
    def __init__(self, degraded):
        self._degraded = degraded

    def preflight(self):
        return Isolation("fake", {"no_network": True}, self._degraded)


def test_a_machine_without_limits_is_unfit_unless_that_is_allowed(
    settings, monkeypatch
):
    monkeypatch.setattr(
        doctor, "default_sandbox", lambda *_, **__: FakeSandbox(True)
    )
    found = named(doctor.check_sandbox(settings))
    assert found["sandbox"].ok is True
    assert (found["cgroups"].ok, found["cgroups"].needed) == (False, True)
    assert "QUASAR_ALLOW_DEGRADED" in found["cgroups"].fix
    lenient = settings.model_copy(update={"allow_degraded": True})
    found = named(doctor.check_sandbox(lenient))
    assert found["cgroups"].needed is False


def test_a_machine_without_a_sandbox_is_told_what_to_install(
    settings, monkeypatch
):
    def missing(*_, **__):
        raise SandboxUnavailable("install bubblewrap")

    monkeypatch.setattr(doctor, "default_sandbox", missing)
    (found,) = doctor.check_sandbox(settings)
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

    monkeypatch.setattr(doctor.subprocess, "run", lambda *_, **__: Done)
    (found,) = doctor.check_git(settings)
    assert (found.ok, bool(found.fix)) == (ok, not ok)


def test_a_machine_without_git_is_told_of(settings, monkeypatch):
    monkeypatch.setattr(doctor.shutil, "which", lambda _: None)
    (found,) = doctor.check_git(settings)
    assert found.detail == "missing"


def test_the_key_is_made_and_its_address_told(settings):
    (found,) = doctor.check_key(settings)
    assert found.ok is True
    assert found.detail.startswith("worker-1 signs as 5")
    assert settings.seed_file("benchmark").stat().st_mode & 0o077 == 0


def test_a_key_that_others_may_read_is_refused(settings):
    list(doctor.check_key(settings))
    settings.seed_file("benchmark").chmod(0o644)
    (found,) = doctor.check_key(settings)
    assert found.ok is False
    assert "chmod 600" in found.fix


def test_a_worker_that_runs_is_noticed_and_not_disturbed(settings):
    home = settings.home("benchmark")
    found = named(doctor.check_places(settings))
    assert found["worker"].detail.startswith("no worker")
    with FileLock(home / "worker.lock").held():
        found = named(doctor.check_places(settings))
    assert found["worker"].detail.startswith("a worker")
    assert found["worker"].ok is True


def test_folders_that_cannot_be_made_are_told_with_their_variables(
    settings, tmp_path
):
    (tmp_path / "file").write_text("")
    spoiled = settings.model_copy(
        update={"state_directory": tmp_path / "file"}
    )
    (found,) = doctor.check_places(spoiled)
    assert found.ok is False
    assert "QUASAR_STATE_DIRECTORY" in found.fix
