"""The audit as a validator runs it: a real API, and the real judge."""

from __future__ import annotations

import json

import pytest
from quasar_core.contracts.reports import Source
from quasar_core.judge.pinned import baseline_files, source_of
from typer.testing import CliRunner

from deploy.local.cli import validator
from tests.support.api import make_world
from tests.support.api_server import served
from tests.support.judged import play
from tests.support.kernel_sources import NO_MASK, submission
from tests.support.postgres import sqlite_template, sqlite_url
from tests.support.workers import LENGTH, QUICK_JUDGE

__all__ = ["sqlite_template", "sqlite_url"]

pytestmark = pytest.mark.slow

ROUND = {
    "round_blocks": 100,
    "evaluating_blocks": 50,
    "min_improvement": 0.1,
    "league_unit": 64,
}


@pytest.fixture
def world(sqlite_url, tmp_path):
    for made in make_world(sqlite_url, tmp_path, **ROUND):
        made.open_round()
        yield made


@pytest.fixture
def command(world, tmp_path):
    judge = QUICK_JUDGE | {"lock_path": str(tmp_path / "judge.lock")}
    environment = {
        "QUASAR_JUDGE": json.dumps(judge),
        "QUASAR_STATE_DIRECTORY": str(tmp_path / "state"),
        "QUASAR_LOCK_DIRECTORY": str(tmp_path / "locks"),
    }

    with served(world.client.app) as url:

        def call(*arguments: str):
            return CliRunner(env=environment | {"QUASAR_API_URL": url}).invoke(
                validator, ["audit", *arguments]
            )

        yield call


def baseline_with(text: str) -> Source:
    """Our own kernel, told apart from others by a file of its own."""
    return source_of({**baseline_files(), "mine.py": text.encode()})


def finalise(world) -> None:
    world.blocks(100)
    for _ in range(3):
        world.turn()


def test_a_worker_that_lied_is_found_by_judging_again(world, command):
    # the baseline takes 2 s in these reports: the honest one is as fast
    entries = {
        "honest": (baseline_with("HONEST = 1\n"), 2.0),
        "too-fast": (baseline_with("QUICK = 1\n"), 0.02),
        "wrong": (submission(NO_MASK), 0.5),
    }
    for name, (source, seconds) in entries.items():
        world.register(name)
        play(
            world, name, seconds, source=source, target_sequence_length=LENGTH
        )
    early = command("--sample", "3", "--json")
    finalise(world)
    other = command("--sample", "3", "--json")

    audited = command(
        *("--sample", "3", "--any-harness", "--no-logits", "--json"),
        *("--tolerance", "3"),
    )

    assert (early.exit_code, other.exit_code) == (2, 2)
    assert "no round is final yet" in early.stdout
    assert "was judged by harness 333333333333" in other.stdout
    assert audited.exit_code == 1, audited.output
    found = {
        each["hotkey"]: (each["outcome"], " ".join(each["reasons"]))
        for each in json.loads(audited.stdout.splitlines()[-1])["findings"]
    }
    told = {name: found[world.register(name)] for name in entries}
    assert told["honest"] == ("agrees", "")
    assert "100.000 x the baseline stand" in told["too-fast"][1]
    assert "it is rejected here: output_mismatch" in told["wrong"][1]
