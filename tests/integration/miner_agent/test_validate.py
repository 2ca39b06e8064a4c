"""`quasar validate`: the real judge in its real sandbox, the same codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import MappingProxyType

import pytest

from services.miner_agent.repository import create_base_repository
from tests.support.workers import QUICK_JUDGE


@pytest.fixture
def validate(tmp_path):
    usual = QUICK_JUDGE | {"lock_path": str(tmp_path / "turn.lock")}

    def call(
        *arguments: str, command=("validate",), judge=MappingProxyType({})
    ):
        script = "from services.cli import main; main()"
        return subprocess.run(
            [sys.executable, "-c", script, *command, *arguments],
            env=os.environ | {"QUASAR_JUDGE": json.dumps(usual | judge)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    return call


@pytest.fixture
def fork(tmp_path) -> Path:
    create_base_repository(tmp_path / "fork")
    return tmp_path / "fork"


def replace_kernel(fork: Path, text: str) -> None:
    folder = fork / "fla/ops/quasar"
    for path in folder.glob("*.py"):
        path.unlink()
    (folder / "__init__.py").write_text(text, encoding="utf-8")


@pytest.mark.slow
def test_the_baseline_is_accepted_by_judge_and_verifier(validate, fork):
    ended = validate("--repo-path", str(fork), "--seq-len=100", "--json")

    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout
    value = json.loads(ended.stdout)
    assert (value["accepted"], value["code"]) == (True, None)
    assert value["tokens_per_sec"] > 0
    assert len(value["identity"]) == 64


ZEROS = """\
import torch


def chunk_quasar(q, k, v, beta, **kwargs):
    print("RESULT: 1e12")
    return torch.zeros_like(v), None
"""


@pytest.mark.parametrize(
    ("kernel", "code"),
    [
        (ZEROS, "output_mismatch"),
        ("import os\n" + ZEROS, "forbidden_import"),
        (ZEROS.replace("torch.zeros_like(v)", "1 / 0"), "runtime_error"),
    ],
)
def test_a_bad_kernel_is_rejected_with_the_workers_code(
    validate, fork, kernel, code
):
    replace_kernel(fork, kernel)

    ended = validate(
        "--repo-path", str(fork), "--seq-len=64", "--working-tree", "--json"
    )
    told = json.loads(ended.stdout)

    assert ended.returncode == 1
    assert (told["accepted"], told["code"]) == (False, code)
    assert told["sentence"]


def test_all_leagues_are_tried_until_one_rejects(validate, fork):
    replace_kernel(fork, ZEROS)
    own = ("--repo-path", str(fork), "--working-tree", "--json")

    ended = validate(*own, "--full", "--league-unit=64", "--seq-len=128")

    told = json.loads(ended.stdout)
    assert (ended.returncode, told["accepted"]) == (1, False)
    (tried,) = told["lengths"]
    assert (tried["league"], tried["sequence_length"]) == ("100k", 64)
    assert tried["code"] == "output_mismatch"
    assert told["largest_that_fits"] is None


@pytest.fixture
def greedy(fork):
    """A kernel that holds six MiB for a token: `validate` of it."""
    kernel = fork / "fla/ops/quasar/chunk.py"
    begin = "    inputs = check_inputs("
    kernel.write_text(
        kernel.read_text().replace(
            begin, f"    held = torch.ones(q.shape[1], 6 << 18)\n{begin}"
        )
    )
    return ("--repo-path", str(fork), "--working-tree", "--no-logits")


SMALL = MappingProxyType(
    {"memory_bytes": 1_600 << 20, "correctness_lengths": [64]}
)


@pytest.mark.slow
def test_out_of_memory_the_largest_length_that_fits_is_told(validate, greedy):
    """A sandbox that has 1600 MiB."""
    ended = validate(
        *greedy, "--full", "--league-unit=128", "--seq-len=256", judge=SMALL
    )

    assert ended.returncode == 1, ended.stderr
    *_, told = ended.stdout.splitlines()
    assert told == "the largest length that fits: 192"
    refused = next(x for x in ended.stdout.splitlines() if " 256: " in x)
    assert "memory_limit" in refused or "out_of_memory" in refused


@pytest.mark.slow
def test_one_length_out_of_memory_is_told_with_the_largest_that_fits(
    validate, greedy
):
    ended = validate(*greedy, "--seq-len=256", "--json", judge=SMALL)

    told = json.loads(ended.stdout)
    assert (ended.returncode, told["sequence_length"]) == (1, 256)
    assert told["code"] in {"memory_limit", "out_of_memory"}
    assert told["largest_that_fits"] == 192


def test_a_run_that_was_kept_is_run_again_with_the_same_verdict(
    validate, fork
):
    replace_kernel(fork, ZEROS)
    own = ("--repo-path", str(fork), "--working-tree")

    validate(*own, "--seq-len=64", "--record=run.json")
    again = ("run.json", "--allow-degraded", "--json")
    ended = validate(*again, command=("worker", "replay"))

    told = json.loads(ended.stdout)
    assert (ended.returncode, told["same_verdict"]) == (0, True)
    assert told["again"] == "output_mismatch at smoke"
    assert told["differences"] == []


def test_what_is_no_run_is_not_run_again(validate):
    nobody = validate("run.json", command=("worker", "replay"))

    assert nobody.returncode == 2
    assert "neither a submission's id nor a file" in nobody.stderr


def test_people_read_stages_and_a_verdict(validate, fork):
    replace_kernel(fork, "import os\n" + ZEROS)

    where = ("--repo-path", str(fork), "--working-tree")
    ended = validate(*where, "--seq-len=64")

    assert ended.returncode == 1
    assert ended.stdout.startswith("rejected at stage screen: forbidden_imp")
    assert "line 1" in ended.stdout
    assert ended.stderr.startswith("fetch ...\nfetch passed (")


def test_what_cannot_be_judged_is_no_verdict(validate, fork):
    nowhere = validate("--repo-path", "nowhere", "--seq-len=64")
    length = validate("--repo-path", str(fork), "--seq-len=0", "--json")

    assert (nowhere.returncode, length.returncode) == (2, 2)
    assert nowhere.stderr == "error: there is no folder nowhere\n"
    error = json.loads(length.stdout)["error"]
    assert error["code"] == "invalid_request"
    asked = validate("--repo-path", str(fork))
    assert asked.stderr == "error: say --seq-len N, or --full\n"


def test_help_teaches(validate):
    shown = validate("--help")

    assert shown.returncode == 0
    assert "--working-tree" in shown.stdout
