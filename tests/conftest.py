"""Which tests run beside each other: those of a file on one worker."""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

MACHINE = (
    "tests/e2e/",
    "tests/integration/workers/",
    "tests/integration/deploy/test_audit.py",
    "tests/integration/miner_agent/test_validate.py",
)
"""Real workers judge one job at a time on a machine: on two test workers
they would only wait for each other, so all of these share one."""


class OneMachine(LoadFileScheduling):
    """A file's tests on one worker, and the machine's all on the same."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(MACHINE):
            return "machine"
        return super()._split_scope(nodeid)


@pytest.hookimpl
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneMachine:
    """What spreads the tests over the workers."""
    return OneMachine(config, log)
