"""Quotas: fair shares of a judge's time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quasar_core.domain.quotas import (
    Candidate,
    QuotaExceeded,
    QuotaSettings,
    QuotaUse,
    after_committing,
    after_queueing,
    check,
    check_commitment,
    left,
    next_in_queue,
)

SETTINGS = QuotaSettings()
counts = st.integers(0, 20)
uses = st.builds(QuotaUse, counts, counts, counts)
candidates = st.builds(
    Candidate,
    submission_id=st.text("abc", min_size=1, max_size=4),
    coldkey=st.sampled_from(["x", "y"]),
    commit_block=st.integers(0, 5),
    rerun=st.booleans(),
    turns=st.integers(0, 3),
)


def test_a_first_submission_is_allowed():
    check(SETTINGS, QuotaUse())
    check_commitment(SETTINGS, QuotaUse())


@pytest.mark.parametrize(
    ("use", "quota"),
    [
        (QuotaUse(waiting_in_league=1), "waiting_per_league"),
        (QuotaUse(this_round=12), "judged_per_round"),
    ],
)
def test_a_used_up_quota_is_named(use, quota):
    with pytest.raises(QuotaExceeded) as caught:
        check(SETTINGS, use)
    assert caught.value.quota == quota
    assert caught.value.limit == getattr(SETTINGS, quota)


@pytest.mark.parametrize(
    ("use", "quota"),
    [
        (QuotaUse(unrevealed=2), "unrevealed"),
        (QuotaUse(this_round=12), "judged_per_round"),
    ],
)
def test_a_commitment_counts_revealed_or_not(use, quota):
    with pytest.raises(QuotaExceeded) as caught:
        check_commitment(SETTINGS, use)
    assert caught.value.quota == quota


@given(uses)
def test_what_is_left_is_what_is_allowed(use):
    rest = left(SETTINGS, use)
    assert min(rest.waiting_in_league, rest.this_round, rest.unrevealed) >= 0
    allowed = rest.waiting_in_league > 0 and rest.this_round > 0
    try:
        check(SETTINGS, use)
    except QuotaExceeded:
        assert not allowed
    else:
        assert allowed


def test_an_empty_queue_has_no_next():
    assert next_in_queue([]) is None


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (
            Candidate("b", "x", 9, rerun=False, turns=9),
            Candidate("a", "y", 1, rerun=True, turns=0),
        ),
        (Candidate("b", "x", 9, turns=0), Candidate("a", "y", 1, turns=1)),
        (Candidate("b", "x", 1, turns=1), Candidate("a", "y", 2, turns=1)),
        (Candidate("a", "x", 1), Candidate("b", "y", 1)),
    ],
    ids=["live before re-runs", "fewest turns", "commitment", "id"],
)
def test_who_is_next(first, second):
    assert next_in_queue([second, first]) == first
    assert next_in_queue([first, second]) == first


@given(st.lists(candidates, min_size=1, max_size=8), st.randoms())
def test_the_next_does_not_depend_on_the_order_of_asking(waiting, random):
    shuffled = list(waiting)
    random.shuffle(shuffled)
    first, again = next_in_queue(waiting), next_in_queue(shuffled)
    assert first is not None
    assert again is not None
    key = (first.rerun, first.turns, first.commit_block, first.submission_id)
    assert key == (
        again.rerun,
        again.turns,
        again.commit_block,
        again.submission_id,
    )


def test_one_more_is_counted_where_it_counts():
    use = QuotaUse(waiting_in_league=1, this_round=2, unrevealed=3)
    assert after_queueing(use) == QuotaUse(2, 3, 3)
    assert after_committing(use) == QuotaUse(1, 3, 4)
