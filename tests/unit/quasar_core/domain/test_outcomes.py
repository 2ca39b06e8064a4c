"""Outcomes: bounds of a ratio, and what they show of a passage."""

import math

import pytest
from quasar_core.domain.outcomes import (
    Outcome,
    Ratio,
    Side,
    outcome_of,
    ratio_of,
)


def side(*seconds, **changes):
    values = {
        "samples": seconds,
        "back_to_back": 0.001,
        "rest": 0.0,
        "sequence_length": 1_000,
        "multiplier": 1.0,
    }
    return Side(**{**values, **changes})


STEADY = (1.0,) * 8


def test_with_eight_samples_the_bounds_are_the_smallest_and_the_largest():
    # 2 * (1/2)^8 = 0.0078 is within 0.01; one sample further in is not
    challenger = side(0.4, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.8)
    defender = side(0.8, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.2)
    assert ratio_of(challenger, defender) == Ratio(
        low=pytest.approx(0.8 / 0.8), high=pytest.approx(1.2 / 0.4)
    )


def test_with_twenty_samples_the_three_outermost_on_each_end_are_left_out():
    # 2 * P(B <= 3) = 2 * 1351 / 2^20 = 0.0026; with 4 it would be 0.0118
    outermost = (0.1, 0.1, 0.1, *(0.5,) * 14, 9.0, 9.0, 9.0)
    ratio = ratio_of(side(*outermost), side(*(1.0,) * 20))
    assert ratio == Ratio(pytest.approx(2.0), pytest.approx(2.0))


def test_each_side_plays_at_its_own_length_and_multiplier():
    longer = side(*STEADY, sequence_length=3_000, multiplier=2.0)
    assert ratio_of(longer, side(*STEADY)).low == pytest.approx(6.0)


def test_what_was_put_off_is_charged_and_the_rest_of_the_layer_counts():
    lazy = side(*(0.1,) * 8, back_to_back=0.5, rest=0.5)
    ratio = ratio_of(lazy, side(*STEADY, rest=1.0))
    assert ratio == Ratio(pytest.approx(2.0), pytest.approx(2.0))


@pytest.mark.parametrize(
    "bad",
    [
        side(*(1.0,) * 7),
        side(*(1.0,) * 7, 0.0),
        side(*(1.0,) * 7, math.nan),
        side(*STEADY, back_to_back=math.inf),
        side(*STEADY, rest=-1.0),
        side(*STEADY, rest=math.nan),
        side(*(1e-320,) * 8, back_to_back=1e-320),
    ],
)
def test_times_that_no_clock_shows_have_no_outcome(bad):
    with pytest.raises(ValueError, match=r".+"):
        ratio_of(bad, side(*STEADY))
    with pytest.raises(ValueError, match=r".+"):
        ratio_of(side(*STEADY), bad)


@pytest.mark.parametrize(
    ("low", "high", "outcome"),
    [
        (1.26, 3.0, Outcome.WON),
        (1.25, 3.0, Outcome.UNDECIDED),
        (0.9, 1.51, Outcome.UNDECIDED),
        (0.9, 1.5, Outcome.NO_BETTER),
        (0.5, 0.6, Outcome.NO_BETTER),
        (1.26, 1.4, Outcome.WON),
    ],
)
def test_half_of_the_least_improvement_must_be_shown(low, high, outcome):
    assert outcome_of(Ratio(low, high), 0.5) is outcome
