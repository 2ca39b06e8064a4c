"""Levels: as good as the same, and who came first."""

from hypothesis import given
from hypothesis import strategies as st
from quasar_core.domain.entries import in_order
from quasar_core.domain.levels import founders, levels, records
from quasar_core.domain.outcomes import Outcome

from tests.support.entries import entry, gains, rounds


def test_what_is_within_the_gain_joins_the_earlier_ones_level():
    assert levels(
        [
            entry("a", 100.0, block=1),
            entry("b", 101.0, block=2),
            entry("c", 99.0, block=3),
            entry("d", 110.0, block=4),
            entry("e", 90.0, block=5),
        ],
        0.015,
    ) == {"a": 0, "b": 0, "c": 0, "d": 1, "e": 2}


def test_the_level_is_that_of_the_earliest_within_reach():
    assert levels(
        [
            entry("a", 100.0, block=1),
            entry("b", 102.0, block=2),
            entry("c", 101.0, block=3),
        ],
        0.015,
    ) == {"a": 0, "b": 1, "c": 0}


def test_exactly_the_gain_is_not_more_than_the_gain():
    same = levels([entry("a", 100.0), entry("b", 150.0)], 0.5)
    assert same == {"a": 0, "b": 0}


def test_a_copy_joins_its_original_however_lucky_it_ran():
    lucky = entry("b", 200.0, block=2, identity="code-a")
    assert levels([entry("a", 100.0, block=1), lucky], 0.015) == {
        "a": 0,
        "b": 0,
    }


def test_the_same_code_in_another_league_is_other_work():
    other = entry("b", 200.0, block=2, identity="code-a", league="400k")
    assert levels([entry("a", 100.0, block=1), other], 0.015)["b"] == 1


def test_the_same_code_one_token_longer_is_the_same_work():
    copy = entry("b", 200.0, block=2, identity="code-a", length=300_001)
    assert levels([entry("a", 100.0, block=1), copy], 0.015)["b"] == 0


def test_who_is_shown_to_be_no_better_joins_the_earliest_such_level():
    crowd = [
        entry("a", 100.0, block=1),
        entry("b", 200.0, block=2),
        entry("c", 400.0, block=3),
    ]
    shown = {
        ("c", "b"): Outcome.NO_BETTER,
        ("c", "a"): Outcome.NO_BETTER,
        ("c", "withdrawn"): Outcome.NO_BETTER,
        ("b", "a"): Outcome.UNDECIDED,
        ("b", "withdrawn"): Outcome.NO_BETTER,
    }
    assert levels(crowd, 0.015, shown) == {"a": 0, "b": 1, "c": 0}


def test_only_what_tops_everything_earlier_is_a_record():
    assert records(
        [
            entry("a", 100.0, block=1),
            entry("b", 101.0, block=2),
            entry("c", 102.0, block=3),
            entry("d", 103.6, block=4),
            entry("e", 90.0, block=5),
        ],
        0.015,
    ) == {"a", "d"}


@given(rounds(), gains, st.randoms())
def test_levels_do_not_depend_on_the_order_of_entries(entries, gain, random):
    shuffled = list(entries)
    random.shuffle(shuffled)
    assert levels(shuffled, gain) == levels(entries, gain)
    assert founders(shuffled, gain) == founders(entries, gain)
    assert records(shuffled, gain) == records(entries, gain)


@given(rounds(), gains)
def test_each_level_has_one_founder_and_he_came_first(entries, gain):
    level_of = levels(entries, gain)
    founding = founders(entries, gain)
    seen = set()
    for one in in_order(entries):
        level = level_of[one.submission_id]
        assert (one.submission_id in founding) == (level not in seen)
        seen.add(level)
    assert seen == set(range(len(seen)))


@given(rounds(), gains)
def test_a_founder_is_away_from_everything_earlier(entries, gain):
    ordered = in_order(entries)
    founding = founders(entries, gain)
    factor = 1 + gain
    for number, one in enumerate(ordered):
        near = any(
            one.work == other.work
            or (
                one.weighted_score <= factor * other.weighted_score
                and other.weighted_score <= factor * one.weighted_score
            )
            for other in ordered[:number]
        )
        assert near == (one.submission_id not in founding)
