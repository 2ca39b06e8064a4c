"""The folder as a whole: it must run alone, where a fork's copy runs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import fla_quasar.ops.quasar
import pytest
from quasar_core.domain.screening import screen

FOLDER = Path(fla_quasar.ops.quasar.__file__).parent


def test_it_obeys_the_rules_for_submissions():
    files = {path.name: path.read_bytes() for path in FOLDER.glob("*.py")}
    assert screen(files) is None
    assert len(files) <= 16


@pytest.fixture(name="tree")
def _tree(tmp_path):
    """The operators as `fla.ops.quasar`, with nothing else of ours."""
    target = tmp_path / "fla" / "ops" / "quasar"
    shutil.copytree(FOLDER, target, ignore=shutil.ignore_patterns("__py*"))
    (tmp_path / "fla" / "__init__.py").write_text("")
    (tmp_path / "fla" / "ops" / "__init__.py").write_text("")
    return tmp_path


def run(folder, program):
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    ).stdout.split()


def test_it_runs_in_a_fork_without_the_rest_of_this_package(tree):
    program = """
import sys, torch
from fla.ops.quasar import chunk_quasar, naive_quasar
assert "triton" not in sys.modules, "importing must not load Triton"
x = torch.ones(1, 64, 2, 16)
o, _ = chunk_quasar(x, x, x, torch.ones(2))
want, _ = naive_quasar(x, x, x, torch.ones(2))
torch.testing.assert_close(o, want)
print(any(name.startswith("fla_quasar") for name in sys.modules))
"""
    assert run(tree, program) == ["False"]
