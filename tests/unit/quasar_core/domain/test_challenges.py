"""Challenges: the passages that decide who is paid, and no others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quasar_core.domain.challenges import needed, settled
from quasar_core.domain.ladder import place
from quasar_core.domain.outcomes import Outcome
from quasar_core.domain.rounds import RoundSettings

from tests.support.entries import entry, gains, rounds

RULES = RoundSettings(min_improvement=0.1)


def asked(entries, outcomes=None):
    known = outcomes or {}
    return needed(place(entries, RULES, known), known)


def paid(entries, outcomes=None):
    return [
        p.entry.submission_id
        for p in place(entries, RULES, outcomes or {})
        if p.paid_place is not None
    ]


SLOW, FAST = entry("slow", 100.0, block=1), entry("fast", 200.0, block=2)


def test_who_was_first_passes_nobody():
    assert asked([entry("fast", 200.0, block=1), entry("slow", 100.0)]) == (
        ("fast", "slow"),
    )
    early = [entry("fast", 200.0, block=1), entry("slow", 100.0, block=2)]
    assert asked(early) == ()


def test_who_passes_into_a_paid_place_is_challenged_once():
    pair = ("fast", "slow")
    assert asked([SLOW, FAST]) == (pair,)
    for outcome in Outcome:
        assert asked([SLOW, FAST], {pair: outcome}) == ()


@pytest.mark.parametrize(
    ("outcome", "order"),
    [
        (Outcome.WON, ["fast", "slow"]),
        (Outcome.UNDECIDED, ["slow", "fast"]),
        (Outcome.NO_BETTER, ["slow"]),
    ],
)
def test_what_an_outcome_does_to_the_paid_places(outcome, order):
    assert paid([SLOW, FAST], {("fast", "slow"): outcome}) == order


def test_each_passage_among_the_paid_is_asked_for_best_place_first():
    crowd = [
        entry("a", 100.0, block=1),
        entry("b", 200.0, block=2),
        entry("c", 400.0, block=3),
    ]
    assert asked(crowd) == (("c", "b"), ("c", "a"), ("b", "a"))


def test_the_first_without_a_place_defends_the_last_one():
    crowd = [entry(f"{n}", 100.0 * 2**n, block=n) for n in range(6)]
    pairs = asked(crowd)
    assert len(pairs) == 10
    assert ("2", "1") in pairs
    assert {lower for _, lower in pairs} == {"4", "3", "2", "1"}


def test_whom_a_lost_challenge_brings_up_is_challenged_in_turn():
    crowd = [
        entry("a", 100.0, block=1),
        entry("b", 200.0, block=2),
        entry("c", 400.0, block=3),
    ]
    lost = {("c", "b"): Outcome.NO_BETTER}
    assert asked(crowd, lost) == (("b", "a"),)
    assert paid(crowd, lost) == ["b", "a"]


def test_what_stays_open_is_no_passage():
    final = settled([SLOW, FAST], RULES, {})
    assert final == {("fast", "slow"): Outcome.UNDECIDED}
    assert paid([SLOW, FAST], final) == ["slow", "fast"]


def test_a_copy_and_an_unpaid_one_challenge_nobody():
    crowd = [
        SLOW,
        entry("copy", 300.0, block=3, identity="code-slow"),
        entry("stolen", 500.0, block=4, original=False),
    ]
    assert asked(crowd) == ()


outcomes = st.dictionaries(
    st.tuples(
        st.sampled_from([f"{n:02d}" for n in range(10)]),
        st.sampled_from([f"{n:02d}" for n in range(10)]),
    ),
    st.sampled_from(Outcome),
    max_size=8,
)


@given(rounds(), gains, outcomes)
def test_once_all_is_settled_nobody_is_paid_for_a_passage_he_did_not_win(
    entries, gain, known
):
    rules = RoundSettings(min_improvement=gain)
    final = settled(entries, rules, known)
    assert known.items() <= final.items()
    placings = place(entries, rules, final)
    assert needed(placings, final) == ()
    assert settled(entries, rules, final) == final
    rewarded = [p.entry for p in placings if p.paid_place is not None]
    for high, upper in enumerate(rewarded):
        for lower in rewarded[high + 1 :]:
            if lower.order < upper.order:
                pair = (upper.submission_id, lower.submission_id)
                assert final[pair] is Outcome.WON


@given(rounds(), gains, outcomes, st.randoms())
def test_the_ladder_of_some_outcomes_is_the_same_in_any_order(
    entries, gain, known, random
):
    rules = RoundSettings(min_improvement=gain)
    shuffled = list(entries)
    random.shuffle(shuffled)
    assert place(shuffled, rules, known) == place(entries, rules, known)
