"""Rounds: frozen settings, and ends that come once."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quasar_core.domain.quotas import QuotaSettings
from quasar_core.domain.rounds import RoundSettings, RoundStatus, next_status

R = RoundStatus
NOW = {
    "block": 100,
    "closes_at_block": 100,
    "evaluating_since_block": 100,
    "unfinished": 0,
    "weighed": False,
}


def test_the_defaults_are_the_published_ones():
    settings = RoundSettings()
    assert settings.round_blocks == 14_400
    assert settings.evaluating_blocks == 1_800
    assert settings.min_improvement == 0.015
    assert settings.quotas == QuotaSettings(1, 12, 2)


def test_settings_survive_being_frozen_into_a_row():
    settings = RoundSettings(
        league_unit=512, max_sequence_length=10_000, must_beat_baseline=False
    )
    row = json.loads(json.dumps(settings.to_dict()))
    assert RoundSettings.from_dict(row) == settings


def test_what_an_old_row_lacks_is_the_default():
    assert RoundSettings.from_dict({"pool": "h100"}) == RoundSettings(
        pool="h100"
    )


def test_a_whole_number_may_stand_for_a_fraction():
    settings = RoundSettings.from_dict({"min_improvement": 1})
    assert settings.min_improvement == 1.0
    assert isinstance(settings.min_improvement, float)


@pytest.mark.parametrize(
    "settings",
    [
        {"colour": "blue"},
        {"league_unit": "512"},
        {"league_unit": 512.0},
        {"league_unit": True},
        {"must_beat_baseline": 1},
        {"min_improvement": True},
        {"league_unit": 0},
        {"min_improvement": -0.1},
        {"min_improvement": math.nan},
        {"min_improvement": math.inf},
        {"profile": "tpu"},
        {"unfilled": "keep"},
        {"reveal_window": 99},
        {"max_sequence_length": 99_999},
        {"cosine_sim_threshold": 1.01},
        {"cosine_sim_threshold": -1.01},
        {"max_diff_threshold": -0.1},
        {"judged_per_round": 0},
    ],
)
def test_settings_that_no_round_could_be_played_with_are_refused(settings):
    with pytest.raises(ValueError, match=r".+"):
        RoundSettings.from_dict(settings)


@pytest.mark.parametrize(
    ("status", "change", "after"),
    [
        (R.OPEN, {"block": 99}, R.OPEN),
        (R.OPEN, {"block": 100}, R.EVALUATING),
        (R.OPEN, {"block": 10_000}, R.EVALUATING),
        (R.EVALUATING, {"unfinished": 1, "block": 1_899}, R.EVALUATING),
        (R.EVALUATING, {"unfinished": 1, "block": 1_900}, R.FINALISED),
        (R.EVALUATING, {"unfinished": 0}, R.FINALISED),
        (
            R.EVALUATING,
            {"evaluating_since_block": None, "unfinished": 1, "block": 1_899},
            R.EVALUATING,
        ),
        (
            R.EVALUATING,
            {"evaluating_since_block": 500, "unfinished": 1, "block": 1_900},
            R.EVALUATING,
        ),
        (R.EVALUATING, {"challenged": 1, "block": 2_499}, R.EVALUATING),
        (R.EVALUATING, {"challenged": 1, "block": 2_500}, R.FINALISED),
        (
            R.EVALUATING,
            {"challenged": 1, "unfinished": 1, "block": 2_500},
            R.FINALISED,
        ),
        (R.FINALISED, {}, R.FINALISED),
        (R.FINALISED, {"weighed": True}, R.WEIGHED),
        (R.WEIGHED, {"weighed": True, "block": 10**9}, R.WEIGHED),
    ],
)
def test_where_a_round_stands_next(status, change, after):
    assert next_status(status, **{**NOW, **change}) is after


@given(
    st.sampled_from(RoundStatus),
    st.integers(0, 300),
    st.integers(0, 300),
    st.none() | st.integers(0, 300),
    st.integers(0, 2),
    st.booleans(),
)
def test_a_round_never_goes_back_and_takes_one_step_at_a_time(
    status, block, closes, since, unfinished, weighed
):
    after = next_status(
        status,
        block=block,
        closes_at_block=closes,
        evaluating_since_block=since,
        unfinished=unfinished,
        weighed=weighed,
        evaluating_blocks=50,
    )
    order = list(RoundStatus)
    assert order.index(after) - order.index(status) in {0, 1}
