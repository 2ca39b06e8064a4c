"""`make bench`: the measuring itself, over a few submissions."""

import json
import subprocess
import sys

import pytest

from tests.support.platform import processes_in

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(300),
]


def test_the_way_from_submission_to_start_is_measured(tmp_path):
    folder = tmp_path / "bench"
    words = ("--count", "3", "--json", "--directory", str(folder))
    ended = subprocess.run(
        [sys.executable, "-m", "deploy.local.bench", *words],
        check=False,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout.splitlines()[-1])
    assert found["measure"] == "submission_to_benchmark_start"
    assert found["samples"] == 3
    assert 0 < found["p50_ms"] <= found["p95_ms"] <= found["max_ms"]
    assert processes_in(folder) == {}
