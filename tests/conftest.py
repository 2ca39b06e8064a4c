"""Where tests run, what of them is measured, and their files in memory."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

MACHINE = "tests/e2e/"
"""Whole platforms judge one job at a time on a machine: on two test workers
they would only wait for each other, so all of these share one."""

COVERAGE = "COVERAGE_PROCESS_CONFIG"
"""By this a process hears that its lines are counted."""

UNMEASURED = (
    MACHINE,
    "tests/faults/",
    "tests/redteam/",
    "tests/integration/deploy/test_audit.py",
    "tests/integration/judge/",
    "tests/integration/miner_agent/test_validate.py",
    "tests/integration/workers/",
)
"""Whose processes are not looked at for coverage: they judge strangers' code,
which takes up to half as long again when every line is counted. What no
nearer test runs counts as not run."""

MEMORY = Path("/dev/shm")
MEMORY_BYTES = 4 * 1024**3
"""Room enough for whatever the tests of all workers hold at once."""


class OneMachine(LoadFileScheduling):
    """A file's tests on one worker, and the machine's all on the same."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(MACHINE):
            return "machine"
        return super()._split_scope(nodeid)


def fits_in_memory() -> bool:
    """Whether files may lie in memory: there is room, and they can run."""
    if not os.access(MEMORY, os.W_OK | os.X_OK):
        return False
    runs = not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC
    return runs and shutil.disk_usage(MEMORY).free >= MEMORY_BYTES


def pytest_configure() -> None:
    """Keep databases and repositories off the disk, unless told where.

    They need not survive a power cut, yet each write would wait for one.
    """
    if "TMPDIR" not in os.environ and fits_in_memory():
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None


@pytest.hookimpl
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneMachine:
    """What spreads the tests over the workers."""
    return OneMachine(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Let the processes of an unmeasured test run at their own speed."""
    measured = not item.nodeid.startswith(UNMEASURED)
    looked_at = None if measured else os.environ.pop(COVERAGE, None)
    try:
        return (yield)
    finally:
        if looked_at is not None:
            os.environ[COVERAGE] = looked_at
