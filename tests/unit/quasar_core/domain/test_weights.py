"""Weights: a pure function to what a chain takes."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quasar_core.domain.weights import BURN, Vector, resolve, to_u16

FOUR = {"a": 0.60, "b": 0.25, "c": 0.10, "d": 0.05}
UIDS = {"a": 11, "b": 7, "c": 3, "d": 200, "other": 0}

hotkeys = st.sampled_from("abcdefgh")
parts = st.dictionaries(hotkeys, st.floats(0, 1))
uids = st.lists(st.integers(0, 255), min_size=8, max_size=8, unique=True)


def test_shares_are_set_for_the_uids_of_their_hotkeys():
    vector = resolve(FOUR, UIDS)
    assert vector.shares == pytest.approx(
        {3: 0.10, 7: 0.25, 11: 0.60, 200: 0.05}
    )
    assert list(vector.shares) == [3, 7, 11, 200]
    assert vector.dropped == {}
    assert vector.reason == ""


def test_d11_who_is_not_registered_is_dropped_and_never_uid_zero():
    vector = resolve(FOUR, {"b": 7, "c": 3, "other": 0})
    assert vector.shares == pytest.approx({7: 0.25 / 0.35, 3: 0.10 / 0.35})
    assert vector.dropped == {"a": "not registered", "d": "not registered"}


def test_the_burn_goes_to_the_owner_by_name():
    vector = resolve({"a": 0.6, "b": 0.25}, UIDS, 0.15, owner_uid=42)
    assert vector.shares == pytest.approx({11: 0.6, 7: 0.25, 42: 0.15})


def test_an_owner_who_mines_has_both_parts():
    vector = resolve({"a": 0.6, "b": 0.25}, UIDS, 0.15, owner_uid=7)
    assert vector.shares == pytest.approx({11: 0.6, 7: 0.40})


def test_a_burn_without_an_owner_is_told():
    vector = resolve({"a": 0.6}, UIDS, 0.4)
    assert vector.shares == {11: 1.0}
    assert vector.dropped == {BURN: "the subnet has no owner"}


@pytest.mark.parametrize(
    ("shares", "limits", "reason"),
    [
        ({}, {}, "nobody"),
        ({"gone": 1.0}, {}, "nobody"),
        ({"a": 0.0}, {}, "nobody"),
        ({"a": 1.0}, {"min_allowed_weights": 2}, "fewer"),
        ({"a": 0.5, "b": 0.5}, {"max_weight_limit": 0.4}, "at most 0.4"),
    ],
)
def test_where_nothing_can_be_set_it_says_why(shares, limits, reason):
    vector = resolve(shares, UIDS, **limits)
    assert dict(vector.shares) == {}
    assert reason in vector.reason


def test_the_subnets_maximum_cuts_and_the_rest_takes_the_surplus():
    vector = resolve(FOUR, UIDS, max_weight_limit=0.4)
    assert vector.shares == pytest.approx(
        {11: 0.4, 7: 0.375, 3: 0.15, 200: 0.075}, abs=1e-5
    )
    assert vector.capped == {11}


def test_a_surplus_may_bring_the_next_to_the_maximum():
    vector = resolve(FOUR, UIDS, max_weight_limit=0.3)
    assert vector.capped == {11, 7}
    assert vector.shares == pytest.approx(
        {11: 0.3, 7: 0.3, 3: 0.4 * 2 / 3, 200: 0.4 / 3}, abs=1e-5
    )


def test_a_maximum_that_just_fits_makes_all_equal():
    vector = resolve({"a": 0.9, "b": 0.1}, UIDS, max_weight_limit=0.5)
    assert vector.shares == {7: 0.5, 11: 0.5}


@given(
    st.lists(st.floats(1e-6, 1), min_size=2, max_size=8),
    st.integers(8_192, 65_535),
)
def test_the_maximum_holds_for_the_weights_as_they_are_stored(parts, limit):
    total = math.fsum(parts)
    shares = {str(at): part / total for at, part in enumerate(parts)}
    uid_of = {name: int(name) for name in shares}
    vector = resolve(shares, uid_of, max_weight_limit=limit / 65_535)
    stored = to_u16(vector.shares)
    assert max(stored.values(), default=0) * 65_535 <= limit * sum(
        stored.values()
    )


@pytest.mark.parametrize("share", [-0.1, 1.1, math.nan, math.inf])
def test_what_is_no_share_is_refused(share):
    with pytest.raises(ValueError, match="no share"):
        resolve({"a": share}, UIDS)
    with pytest.raises(ValueError, match="no share"):
        resolve({}, UIDS, burn=share)
    with pytest.raises(ValueError, match="no share"):
        to_u16({0: share})


def test_two_hotkeys_with_one_uid_are_refused():
    with pytest.raises(ValueError, match="uid 5"):
        resolve({"a": 0.5, "b": 0.5}, {"a": 5, "b": 5})


@given(
    parts,
    uids,
    st.sets(hotkeys),
    st.floats(0, 1),
    st.none() | st.integers(0, 255),
    st.integers(0, 4),
    st.floats(0.1, 1.0),
)
def test_a_vector_sums_to_one_or_is_empty_with_a_reason(
    shares, numbers, registered, burn, owner, least, limit
):
    uid_of = {
        hotkey: uid
        for hotkey, uid in zip("abcdefgh", numbers, strict=True)
        if hotkey in registered
    }
    vector = resolve(
        shares,
        uid_of,
        burn,
        owner,
        min_allowed_weights=least,
        max_weight_limit=limit,
    )
    assert isinstance(vector, Vector)
    assert set(vector.shares) <= {*uid_of.values(), owner}
    assert set(vector.dropped) - {BURN} == set(shares) - set(uid_of)
    if not vector.shares:
        assert vector.reason
        return
    assert len(vector.shares) >= least
    assert math.fsum(vector.shares.values()) == pytest.approx(1, abs=1e-12)
    assert all(0 < share <= limit + 1e-9 for share in vector.shares.values())


def test_the_published_shares_as_the_chain_stores_them():
    assert to_u16({0: 0.6, 1: 0.25, 2: 0.1, 3: 0.05}) == {
        0: 65_535,
        1: 27_306,
        2: 10_923,
        3: 5_461,
    }


def test_what_rounds_to_nothing_is_left_out():
    assert to_u16({0: 1.0, 1: 1e-9, 2: 0.0}) == {0: 65_535}
    assert to_u16({0: 0.0}) == {}
    assert to_u16({}) == {}


@given(st.dictionaries(st.integers(0, 255), st.floats(1e-3, 1), min_size=1))
def test_the_largest_is_the_maximum_and_order_is_kept(shares):
    stored = to_u16(shares)
    assert max(stored.values()) == 65_535
    assert all(0 < value <= 65_535 for value in stored.values())
    for one in shares:
        for other in shares:
            if shares[one] >= shares[other]:
                assert stored[one] >= stored[other]
