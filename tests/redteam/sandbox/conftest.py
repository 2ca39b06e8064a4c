"""The attack suite runs on both real back ends, or says which is missing."""

import shutil

import pytest

from tests.support.docker_engine import (
    docker_engine,  # noqa: F401 -- a fixture is found by its name
    required,
)
from tests.support.sandboxes import sandbox_in

PROVED = set()
"""Back ends whose preflight has held in this process."""


@pytest.fixture(params=["bubblewrap", "docker"])
def backend(request, monkeypatch):
    """The name of a back end that can run here.

    On a required host (CI names both in QUASAR_REQUIRE_SANDBOX) a missing
    one fails; on a laptop it is skipped by name.
    """
    if request.param == "docker":
        host = request.getfixturevalue("docker_engine")
        monkeypatch.setenv("DOCKER_HOST", host)
    elif not required("bubblewrap") and shutil.which("bwrap") is None:
        pytest.skip("bubblewrap is not installed")
    return request.param


@pytest.fixture
def sandbox(backend, tmp_path):
    """The back end, with limits that hold for all of a payload."""
    found = sandbox_in(tmp_path, backend)
    if backend == "bubblewrap" and not required(backend) and found.degraded:
        pytest.skip("bubblewrap has no cgroup limits here")
    if backend not in PROVED:
        found.preflight()
        PROVED.add(backend)
    yield found
    assert list((tmp_path / "leases").glob("*.lease")) == []
