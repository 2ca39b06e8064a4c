"""Rewards: shares that sum to one, or none and why."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quasar_core.domain.ladder import place
from quasar_core.domain.rewards import Unfilled, normalise, shares
from quasar_core.domain.rounds import RoundSettings

from tests.support.entries import entry, rounds


def placings(count):
    return place(
        [entry(f"{n}", 1_000.0 / 2**n) for n in range(count)],
        RoundSettings(),
    )


@pytest.mark.parametrize("count", [4, 9])
@pytest.mark.parametrize("policy", Unfilled)
def test_four_places_share_the_published_parts(count, policy):
    rewards = shares(placings(count), policy)
    assert rewards.by_hotkey == pytest.approx(
        {"hot-0": 0.60, "hot-1": 0.25, "hot-2": 0.10, "hot-3": 0.05}
    )
    assert rewards.burn == 0.0


def test_two_places_share_all_in_proportion():
    rewards = shares(placings(2))
    assert rewards.by_hotkey == pytest.approx(
        {"hot-0": 0.60 / 0.85, "hot-1": 0.25 / 0.85}
    )
    assert rewards.burn == 0.0


def test_the_rest_of_two_places_burns_where_the_policy_says_so():
    rewards = shares(placings(2), "burn")
    assert rewards.by_hotkey == {"hot-0": 0.60, "hot-1": 0.25}
    assert rewards.burn == pytest.approx(0.15)


@pytest.mark.parametrize("policy", Unfilled)
def test_with_no_place_filled_nothing_is_set_and_it_says_why(policy):
    rewards = shares([], policy)
    assert dict(rewards.by_hotkey) == {}
    assert rewards.burn == 0.0
    assert "no entry" in rewards.reason


def test_an_unknown_policy_is_refused():
    with pytest.raises(ValueError, match="keep"):
        shares(placings(1), "keep")


@given(rounds(), st.sampled_from(Unfilled), st.booleans())
def test_shares_sum_to_one_or_there_are_none(entries, policy, must_beat):
    rules = RoundSettings(must_beat_baseline=must_beat)
    ladder = place(entries, rules)
    rewards = shares(ladder, policy)
    total = math.fsum([*rewards.by_hotkey.values(), rewards.burn])
    if any(placing.paid_place for placing in ladder):
        assert total == pytest.approx(1.0, abs=1e-12)
        assert rewards.reason == ""
    else:
        assert total == 0.0
    assert all(share > 0 for share in rewards.by_hotkey.values())
    assert rewards.burn >= 0


@given(st.dictionaries(st.text(max_size=3), st.floats(1e-6, 1e6), min_size=1))
def test_normal_parts_sum_to_one_and_keep_their_order(parts):
    normal = normalise(parts)
    assert math.fsum(normal.values()) == pytest.approx(1.0, abs=1e-15)
    for one in parts:
        for other in parts:
            if parts[one] > parts[other] * (1 + 1e-9):
                assert normal[one] > normal[other]


@pytest.mark.parametrize("parts", [{}, {"a": 0.0}, {"a": math.nan}])
def test_nothing_cannot_be_shared_out(parts):
    with pytest.raises(ValueError, match="nothing"):
        normalise(parts)
