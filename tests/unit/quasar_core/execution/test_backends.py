import shutil

import pytest
from quasar_core.execution import backends
from quasar_core.execution.backends import choose_sandbox, default_sandbox
from quasar_core.execution.sandbox import SandboxUnavailable

from tests.support.sandboxes import sandbox_in


@pytest.fixture(autouse=True)
def leases_of_the_test(monkeypatch, tmp_path):
    monkeypatch.setattr(
        backends,
        "BubblewrapSandbox",
        lambda **settings: sandbox_in(tmp_path, **settings),
    )


@pytest.mark.parametrize("name", [None, "bubblewrap"])
def test_a_sandbox_that_can_run_here_is_found(name):
    assert default_sandbox(name).name == "bubblewrap"


@pytest.mark.parametrize("name", ["podman", "none", "Bubblewrap", ""])
def test_a_back_end_that_is_named_is_never_replaced(name):
    with pytest.raises(SandboxUnavailable, match="bubblewrap"):
        default_sandbox(name)


@pytest.fixture
def no_engine(monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")


def test_docker_that_is_named_is_used_or_refused(no_engine):
    with pytest.raises(SandboxUnavailable, match="Docker engine"):
        default_sandbox("docker")


def test_docker_is_found_where_bubblewrap_is_not(docker_engine, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", docker_engine)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert choose_sandbox().name == "docker"


def test_strangers_code_never_runs_bare(no_engine, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(SandboxUnavailable, match="install"):
        default_sandbox()
