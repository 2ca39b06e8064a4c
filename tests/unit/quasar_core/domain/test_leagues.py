"""Leagues: boundaries on both sides, at any unit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quasar_core.domain.leagues import (
    AboveLargestLength,
    BelowSmallestLeague,
    League,
    admit,
    league_for,
    leagues,
    weighted_score,
)

units = st.integers(1, 10**7)
steps = st.integers(1, 10)


def test_there_are_ten_leagues_with_the_published_multipliers():
    assert [
        (league.name, league.smallest_length, league.multiplier)
        for league in leagues()
    ] == [
        ("100k", 100_000, 0.5),
        ("200k", 200_000, 0.75),
        ("300k", 300_000, 1.0),
        ("400k", 400_000, 1.25),
        ("500k", 500_000, 1.5),
        ("600k", 600_000, 1.75),
        ("700k", 700_000, 2.0),
        ("800k", 800_000, 2.25),
        ("900k", 900_000, 2.5),
        ("1M", 1_000_000, 3.0),
    ]


def test_a_small_unit_plays_the_same_ten_leagues():
    small = leagues(unit=512)
    assert [league.name for league in small] == [
        league.name for league in leagues()
    ]
    assert small[-1] == League("1M", 5_120, 3.0)


@given(unit=units, step=steps)
def test_a_sequence_plays_in_the_highest_league_it_reaches(unit, step):
    assert league_for(step * unit, unit) == leagues(unit)[step - 1]


@given(unit=units, step=st.integers(2, 10))
def test_one_token_less_plays_in_the_league_below(unit, step):
    below = leagues(unit)[step - 2]
    assert league_for(step * unit - 1, unit) == below


@given(unit=units, length=st.integers(max_value=10**8))
def test_a_length_below_the_smallest_league_has_none(unit, length):
    if length >= unit:
        length -= length - unit + 1
    with pytest.raises(BelowSmallestLeague):
        league_for(length, unit)


@given(unit=units, extra=st.integers(0, 10**12))
def test_the_largest_league_has_no_end(unit, extra):
    assert league_for(10 * unit + extra, unit).name == "1M"


def test_the_longest_admitted_length_is_admitted_and_no_longer_one():
    assert admit(2_000_000).name == "1M"
    with pytest.raises(AboveLargestLength, match="2000001"):
        admit(2_000_001)


@pytest.mark.parametrize("length", [0, -1, 99_999, -(10**12)])
def test_lengths_of_no_league_are_refused(length):
    with pytest.raises(BelowSmallestLeague, match="100k"):
        admit(length)


def test_a_trillion_tokens_are_refused():
    with pytest.raises(AboveLargestLength):
        admit(10**12)


@pytest.mark.parametrize("unit", [0, -1])
def test_a_unit_is_at_least_one_token(unit):
    with pytest.raises(ValueError, match="at least 1"):
        leagues(unit)


def test_the_multiplier_weights_the_measured_speed():
    assert weighted_score(1_000.0, league_for(1_000_000)) == 3_000.0
    assert weighted_score(1_000.0, league_for(100_000)) == 500.0
