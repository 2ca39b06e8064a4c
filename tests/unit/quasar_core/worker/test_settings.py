from pathlib import Path

import pytest
from pydantic import ValidationError
from quasar_core.worker import settings as module
from quasar_core.worker.settings import WorkerSettings, name_on_host


@pytest.fixture(autouse=True)
def bare(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("gpu-7.example.org", "worker-gpu-7.example.org"),
        ("Büro PC", "worker-b-ro-pc"),
        ("odd-", "worker-odd"),
        ("", "worker"),
        ("x" * 80, "worker-" + "x" * 57),
    ],
)
def test_a_worker_is_called_after_its_host(monkeypatch, host, name):
    monkeypatch.setattr(module.socket, "gethostname", lambda: host)
    assert name_on_host("worker") == name
    assert WorkerSettings().worker_name == name


def test_each_role_and_name_has_a_home_of_its_own():
    settings = WorkerSettings(
        worker_name="w", state_directory=Path("/var/lib/quasar")
    )
    assert settings.home("benchmark") == Path("/var/lib/quasar/benchmark/w")
    assert settings.seed_file("verifier") == (
        Path("/var/lib/quasar/verifier/w/worker.seed")
    )


def test_a_seed_file_that_was_named_is_used():
    settings = WorkerSettings(worker_seed_file=Path("/run/secrets/seed"))
    assert settings.seed_file("benchmark") == Path("/run/secrets/seed")


@pytest.mark.parametrize(
    "changes",
    [{}, {"sandbox_backend": "bubblewrap", "allow_degraded": True}],
)
def test_production_takes_no_short_cut_with_the_sandbox(changes):
    with pytest.raises(ValidationError, match="production"):
        WorkerSettings(environment="production", **changes)


def test_production_with_a_named_sandbox_is_fine():
    settings = WorkerSettings(
        environment="production", sandbox_backend="bubblewrap"
    )
    assert settings.sandbox_backend == "bubblewrap"
