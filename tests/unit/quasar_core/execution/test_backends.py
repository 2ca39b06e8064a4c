import shutil

import pytest
from quasar_core.execution import backends
from quasar_core.execution.backends import default_sandbox
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


@pytest.mark.parametrize("name", ["docker", "none", "Bubblewrap", ""])
def test_a_back_end_that_is_named_is_never_replaced(name):
    with pytest.raises(SandboxUnavailable, match="bubblewrap"):
        default_sandbox(name)


def test_strangers_code_never_runs_bare(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(SandboxUnavailable, match="install"):
        default_sandbox()
