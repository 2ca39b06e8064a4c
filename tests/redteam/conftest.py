"""The arena in which attacks are run: one for each file of tests."""

import pytest

from tests.redteam.arena import Arena
from tests.support.sandboxes import sandbox_in

FOOLED = 5.0
"""A clock that was fooled would show a gain beyond this, on any machine."""


@pytest.fixture(scope="module")
def arena(tmp_path_factory):
    folder = tmp_path_factory.mktemp("arena")
    sandbox = sandbox_in(folder, allow_degraded=False)
    with Arena(folder, sandbox, most_gain=FOOLED) as arena:
        yield arena
