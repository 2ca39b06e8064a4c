"""The demo, from the commits of eight miners to the weights on chain."""

import json

import pytest

from deploy.local.miners.kinds import KINDS
from tests.support.platform import processes_in, quasar
from tests.support.workers import QUICK_JUDGE

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(900),
]

HONEST = ("honest_fast", "honest_slow", "copy")


def test_the_demo_ends_well_and_says_so_in_one_json_object(demo):
    assert demo.exit_code == 0, demo.stderr
    assert len(demo.stdout.splitlines()) == 1
    assert set(demo.result) == {
        "leaderboard",
        "submissions",
        "weights",
        "timings",
    }
    assert "Every miner got the verdict he deserves." in demo.stderr


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_miner_gets_the_verdict_he_deserves(demo, kind):
    found = demo.submission(kind.name)
    assert found["status"] == kind.status
    assert found["code"] == kind.code
    scored = kind.code is None
    assert (found["tokens_per_sec"] is not None) == scored
    assert (found["weighted_score"] is not None) == scored


def test_the_board_holds_the_honest_ones_with_speed_and_interval(demo):
    rows = demo.result["leaderboard"]
    miners = {demo.submission(kind)["miner"] for kind in HONEST}
    assert {row["hotkey"] for row in rows} == miners
    assert [row["place"] for row in rows] == [1, 2, 3]
    for row in rows:
        low, high = row["tokens_per_sec_low"], row["tokens_per_sec_high"]
        assert 0 < low <= row["tokens_per_sec"] <= high
        assert row["weighted_score"] == pytest.approx(
            row["tokens_per_sec"] * row["multiplier"]
        )


def test_the_slow_one_and_the_copy_stand_below_the_fast_one(demo):
    places = {
        row["hotkey"]: row["place"] for row in demo.result["leaderboard"]
    }
    fast, slow, copy = (
        places[demo.submission(kind)["miner"]]
        for kind in ("honest_fast", "honest_slow", "copy")
    )
    assert fast < slow
    assert fast < copy


def test_the_slow_one_really_is_three_times_slower(demo):
    # side by side with the baseline: a busy machine slows both
    speedups = {
        row["hotkey"]: row["speedup_vs_baseline"]
        for row in demo.result["leaderboard"]
    }
    fast, slow = (
        speedups[demo.submission(kind)["miner"]]
        for kind in ("honest_fast", "honest_slow")
    )
    assert fast > 3 * slow


def test_the_weights_on_chain_are_the_founders_of_levels_alone(demo):
    weights = demo.result["weights"]
    fast, slow = (
        demo.submission(kind)["miner"]
        for kind in ("honest_fast", "honest_slow")
    )
    # 60 and 25 of those 85, as the chain's 16 bits hold them
    assert weights == {
        fast: pytest.approx(60 / 85, abs=1e-4),
        slow: pytest.approx(25 / 85, abs=1e-4),
    }
    assert sum(weights.values()) == pytest.approx(1.0)


def test_each_rejection_is_told_in_plain_words(demo):
    for words in ("forbidden_import", "output_mismatch", "process_exit"):
        assert words in demo.stderr
    assert "ended by itself" in " ".join(demo.stderr.split())


def test_nothing_of_the_demo_runs_on(demo):
    assert processes_in(demo.folder) == {}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_validate_gives_the_code_that_the_workers_gave(demo, kind):
    length = kind.leagues * 512
    ended = quasar(
        "validate",
        "--repo-path",
        str(demo.folder / "forks" / kind.name),
        "--seq-len",
        str(length),
        "--json",
        timeout=300,
        environment={"QUASAR_JUDGE": json.dumps(QUICK_JUDGE)},
    )
    found = json.loads(ended.stdout.splitlines()[-1])
    assert found["code"] == demo.submission(kind.name)["code"]
    assert (ended.returncode == 0) == (kind.code is None)
