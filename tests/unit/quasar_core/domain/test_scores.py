"""Scores: derived again from samples, whatever a worker says."""

import math
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quasar_core.domain.scores import (
    DerivedScore,
    derive,
    drift,
    median_interval,
)

seconds = st.floats(1e-6, 1e3)
runs = st.lists(seconds, min_size=3, max_size=40)


def test_a_score_is_tokens_over_operator_and_rest():
    assert derive([2.0, 1.0, 3.0], [6.0, 6.0, 6.0], 2.0, 2.0, 1_000) == (
        DerivedScore(250.0, 200.0, 1_000 / 4.0, 2.0)
    )


def test_work_put_off_between_calls_is_charged():
    lazy = derive([0.1, 0.1, 0.1], [1.0] * 3, 1.0, 0.0, 1_000)
    assert lazy == DerivedScore(1_000.0, 1_000.0, 1_000.0, 1.0)


@given(runs, runs, seconds, seconds, st.integers(1, 10**7))
def test_the_score_lies_in_its_interval(samples, baseline, back, rest, tokens):
    score = derive(samples, baseline, back, rest, tokens)
    assert score.low <= score.tokens_per_sec <= score.high
    assert score.speedup_vs_baseline > 0


@given(runs, runs, seconds, st.randoms())
def test_the_order_of_samples_does_not_matter(samples, baseline, back, random):
    shuffled = list(samples)
    random.shuffle(shuffled)
    assert derive(shuffled, baseline, back, 0.1, 64) == derive(
        samples, baseline, back, 0.1, 64
    )


@given(runs, st.floats(0.01, 0.99))
def test_the_interval_holds_the_median(samples, confidence):
    low, high = median_interval(samples, confidence)
    assert low <= median(samples) <= high
    assert {low, high} <= set(samples)


def test_more_samples_leave_more_of_them_outside():
    # From the tables of the sign test at 95 %: ranks 1, 2 and 10.
    assert median_interval(range(1, 6)) == (1, 5)
    assert median_interval(range(1, 11)) == (2, 9)
    assert median_interval(range(1, 31)) == (10, 21)


def test_the_same_code_twice_has_no_speedup():
    same = [0.5, 0.4, 0.6]
    assert derive(same, same, 0.5, 0.2, 64).speedup_vs_baseline == 1.0


@pytest.mark.parametrize("confidence", [0.0, 1.0, -1.0, math.nan])
def test_no_interval_is_certain(confidence):
    with pytest.raises(ValueError, match="confidence"):
        median_interval([1.0, 2.0, 3.0], confidence)


GOOD = {
    "samples": [1.0, 1.0, 1.0],
    "baseline_samples": [1.0, 1.0, 1.0],
    "back_to_back": 1.0,
    "rest": 0.0,
    "sequence_length": 64,
}


@pytest.mark.parametrize(
    "bad",
    [
        {"samples": [1.0, 1.0]},
        {"baseline_samples": []},
        {"samples": [1.0, 1.0, 0.0]},
        {"samples": [1.0, 1.0, -1.0]},
        {"samples": [1.0, 1.0, math.nan]},
        {"baseline_samples": [1.0, math.inf, 1.0]},
        {"back_to_back": 0.0},
        {"back_to_back": math.nan},
        {"rest": -1e-9},
        {"rest": math.inf},
        {"sequence_length": 0},
        {"sequence_length": -1},
        {"samples": [5e-324] * 3, "back_to_back": 5e-324},
    ],
)
def test_times_that_no_clock_shows_give_no_score(bad):
    assert derive(**GOOD).tokens_per_sec == 64.0
    with pytest.raises(ValueError, match=r"no |fewer|too short"):
        derive(**{**GOOD, **bad})


def test_drift_is_between_the_baselines_first_and_last_block():
    assert drift((1.0, 1.0, 1.0, 1.02, 1.02, 1.02)) == pytest.approx(0.02)
    assert drift((1.0, 1.0, 0.5, 0.5)) == pytest.approx(0.5)
    with pytest.raises(ValueError, match="one block"):
        drift((1.0,))


def test_what_scatters_has_not_drifted():
    assert drift((1.0, 1.0, 9.0, 1.02, 1.02, 1.02)) == 0
    wide = [1.0 + 0.01 * step for step in range(15)]
    shifted = [each + 0.03 for each in wide]
    assert drift((*wide, *shifted)) == 0
    assert drift((*wide, *(each + 0.5 for each in wide))) > 0.3
