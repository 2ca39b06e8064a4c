"""The attack suite runs on a real back end, or says which one is missing."""

import os
import shutil

import pytest

from tests.support.sandboxes import sandbox_in


@pytest.fixture
def sandbox(tmp_path):
    """The bubblewrap back end, with limits that hold for all of a payload.

    On a required host (CI sets QUASAR_REQUIRE_SANDBOX=bubblewrap) a missing
    back end fails; on a laptop it is skipped by name.
    """
    required = "bubblewrap" in os.environ.get("QUASAR_REQUIRE_SANDBOX", "")
    found = sandbox_in(tmp_path)
    if not required:
        if shutil.which("bwrap") is None:
            pytest.skip("bubblewrap is not installed")
        if found.degraded:
            pytest.skip("bubblewrap has no cgroup limits here")
    found.preflight()
    yield found
    assert list((tmp_path / "leases").glob("*.lease")) == []
