"""The engine of the tests, for the modules that speak to one."""

import pytest
from quasar_core.execution.docker import DockerSandbox

from tests.support.docker_engine import (
    docker_engine,  # noqa: F401 -- a fixture is found by its name
)


@pytest.fixture
def docker_sandbox(docker_engine, tmp_path):  # noqa: F811
    """A sandbox of the test's own, on the session's engine."""
    return DockerSandbox(
        host=docker_engine, lease_directory=tmp_path / "leases"
    )
