"""What the doctor says of a machine; the fit one is in integration."""

import pytest
from quasar_core.domain.workload import Profile
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


def test_a_gpu_is_needed_by_a_pool_that_judges_on_one(
    settings, tmp_path, monkeypatch
):
    monkeypatch.setenv("PATH", str(tmp_path))
    (found,) = doctor.check_pool(settings)
    assert found.state == "note"
    judge = settings.judge.model_copy(update={"profile": Profile.GPU})
    on_gpu = settings.model_copy(update={"judge": judge})
    (found,) = doctor.check_pool(on_gpu)
    assert found.state == "FAIL"


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
