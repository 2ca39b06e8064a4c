"""The steps of a session on a card, run on a stand-in for one."""

import pytest
import torch
from quasar_core.judge import judging
from quasar_core.judge.settings import JudgeSettings

from tests.gpu import judge_session, judge_steps
from tests.gpu.judge_steps import Bench
from tests.support.plain_sandbox import PlainSandbox
from tests.support.standin_gpu import standin_ground, undone


@pytest.fixture
def bench(tmp_path, monkeypatch):
    monkeypatch.setattr(judging, "drift", lambda samples: 0.0)
    torch.set_num_threads(1)
    settings = JudgeSettings(
        profile="gpu",
        correctness_lengths=(64,),
        samples=4,
        warm_up_calls=1,
        warm_up_seconds=0,
        back_to_back_calls=2,
        exchange_samples=3,
        rest_samples=1,
        lock_path=tmp_path / "lock",
    )
    ground = standin_ground(tmp_path / "driver")
    yield Bench(ground, PlainSandbox(), settings, tmp_path)
    assert undone(ground) == 0


SHOWS_ALL = "08" * 32
"""A draw that shows every mutant; one in some does not."""


def test_windows_and_what_an_exchange_costs(bench):
    (row,) = judge_steps.windows(bench, 128)
    assert row["all_poison"] is True
    (row,) = judge_steps.exchange_cost(bench, 128)
    assert row["k_seconds"] > 0


def test_judged_time_stands_beside_direct_time(bench):
    (row,) = judge_steps.overhead(bench, 128)
    assert row["judged_seconds"] > 0 < row["direct_seconds"]


def test_a_whole_judging_is_told_with_its_environment(bench):
    (row,) = judge_steps.whole(bench, 128)
    assert "rejected" not in row
    assert row["op_seconds"] > 0
    assert row["environment"]["gpu_uuid"] == "GPU-0"


def test_every_mutant_is_told_with_its_margin(bench):
    trusted, *rows = judge_steps.mutants(bench, 192, SHOWS_ALL)
    assert len(trusted["trusted_rms"]) == 8
    assert len(rows) > 6
    assert all(row["shown"] for row in rows)


def test_attacks_are_run_and_the_device_looked_after(bench):
    only = ("A1-early_done_on_a_device", "B2-zeros")
    rows = list(judge_steps.attacks(bench, only))
    assert [row["attack"] for row in rows] == list(only)
    for row in rows:
        assert row["right"], row
        assert row["healthy_after"]


def test_a_session_goes_on_where_it_stopped(tmp_path):
    judge_session.keep("k 64", iter([{"k_seconds": 0.5}]), tmp_path)

    def broken():
        yield {"tokens": 64}
        raise ValueError("lost")

    with pytest.raises(ValueError, match="lost"):
        judge_session.keep("windows 64", broken(), tmp_path)
    assert judge_session.done(tmp_path) == {"k 64"}
    judge_session.write_table(tmp_path)
    table = (tmp_path / judge_session.TABLE).read_text()
    assert "| k 64 | k_seconds 0.5 |" in table
    assert "| windows 64 | tokens 64 |" in table


def test_a_step_that_fails_costs_itself_alone(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(judge_session, "all_steps", lambda: {"no such": None})
    fails = tmp_path / "fails"
    fails.write_text("#!/bin/sh\necho lost >&2; exit 3\n")
    fails.chmod(0o755)
    monkeypatch.setattr(judge_session.sys, "executable", str(fails))
    until = judge_session.time.monotonic() + 1_000
    assert judge_session.session(tmp_path, until, (), ()) == 1
    assert "no such failed ---\nlost" in capsys.readouterr().out
    assert judge_session.session(tmp_path, until, ("other",), ()) == 0
