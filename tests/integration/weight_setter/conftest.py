"""An API in memory behind a real server, for the weight setter."""

from __future__ import annotations

import pytest

from tests.support.api_server import FakeApi, serving


@pytest.fixture(scope="module")
def server():
    with serving() as api:
        yield api


@pytest.fixture
def api(server) -> FakeApi:
    """The server's contents as they are at first."""
    server.__dict__.update(FakeApi(url=server.url).__dict__)
    return server
