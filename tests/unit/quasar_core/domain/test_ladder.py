"""The ladder: total, the same for any order, and closed to copies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quasar_core.domain.ladder import (
    UnpaidReason,
    climb,
    league_board,
    place,
)
from quasar_core.domain.rounds import RoundSettings

from tests.support.entries import entry, gains, rounds

U = UnpaidReason
settings = st.builds(
    RoundSettings,
    min_improvement=gains,
    must_beat_baseline=st.booleans(),
    one_paid_per_coldkey=st.booleans(),
    records_only=st.booleans(),
)


def names(entries):
    return [one.submission_id for one in entries]


def paid(entries, **changes):
    return {
        placing.entry.submission_id: placing.paid_place
        or placing.unpaid_reason
        for placing in place(entries, RoundSettings(**changes))
    }


def test_an_entry_passes_whom_it_beats_and_stops_at_the_first_it_does_not():
    assert names(
        climb(
            [
                entry("a", 100.0, block=1),
                entry("b", 200.0, block=2),
                entry("c", 150.0, block=3),
                entry("d", 151.0, block=4),
            ],
            0.015,
        )
    ) == ["b", "c", "d", "a"]


def test_a_gain_of_the_least_improvement_is_not_more_than_it():
    first = entry("a", 100.0)
    same, more = entry("b", 150.0, block=1), entry("b", 150.1, block=1)
    assert names(climb([first, same], 0.5)) == ["a", "b"]
    assert names(climb([first, more], 0.5)) == ["b", "a"]


def test_only_a_miners_highest_entry_stands():
    assert names(
        climb(
            [
                entry("a", 100.0, block=1, hotkey="M"),
                entry("b", 150.0, block=2, hotkey="M"),
                entry("c", 120.0, block=3),
            ],
            0.015,
        )
    ) == ["b", "c"]


def test_a_worse_later_entry_costs_a_miner_nothing():
    assert names(
        climb(
            [
                entry("a", 100.0, block=1, hotkey="M"),
                entry("b", 90.0, block=2),
                entry("c", 10.0, block=3, hotkey="M"),
            ],
            0.015,
        )
    ) == ["a", "b"]


@given(rounds(), settings, st.randoms())
def test_the_ladder_does_not_depend_on_the_order_of_entries(
    entries, rules, random
):
    shuffled = list(entries)
    random.shuffle(shuffled)
    assert place(shuffled, rules) == place(entries, rules)


@given(rounds(), settings)
def test_the_ladder_is_total(entries, rules):
    placings = place(entries, rules)
    assert [placing.place for placing in placings] == list(
        range(1, len(placings) + 1)
    )
    hotkeys = [placing.entry.hotkey for placing in placings]
    assert len(hotkeys) == len(set(hotkeys))
    assert set(hotkeys) == {one.hotkey for one in entries}
    for placing in placings:
        assert (placing.paid_place is None) != (placing.unpaid_reason is None)


def whole_ladder(entries, gain):
    """The ladder with every entry on it, each as a miner of its own."""
    alone = [
        entry(
            one.submission_id,
            one.weighted_score,
            block=one.commit_block,
            identity=one.identity,
            length=one.sequence_length,
        )
        for one in entries
    ]
    return climb(alone, gain)


@given(rounds(), gains)
def test_a_copy_never_passes_its_original(entries, gain):
    ladder = whole_ladder(entries, gain)
    for high, upper in enumerate(ladder):
        for lower in ladder[high + 1 :]:
            if upper.work == lower.work:
                assert upper.order < lower.order


@given(rounds(), gains)
def test_nobody_stands_above_an_earlier_one_that_he_does_not_beat(
    entries, gain
):
    ladder = whole_ladder(entries, gain)
    for high, upper in enumerate(ladder):
        for lower in ladder[high + 1 :]:
            if lower.order < upper.order:
                assert upper.weighted_score > (
                    (1 + gain) * lower.weighted_score
                )


@given(rounds(), gains, st.floats(1e-3, 1e9))
def test_improving_never_costs_a_place(entries, gain, score):
    before = [one.hotkey for one in climb(entries, gain)]
    last = max((one.commit_block for one in entries), default=0) + 1
    for hotkey in before:
        better = entry("new", score, block=last, hotkey=hotkey)
        after = [one.hotkey for one in climb([*entries, better], gain)]
        assert after.index(hotkey) <= before.index(hotkey)


@given(rounds(), settings)
def test_only_founders_are_paid_and_places_count_from_one(entries, rules):
    placings = place(entries, rules)
    places = [p.paid_place for p in placings if p.paid_place is not None]
    assert places == list(range(1, len(places) + 1))
    assert len(places) <= 4
    rewarded = [p for p in placings if p.paid_place is not None]
    assert all(p.founder for p in rewarded)
    assert len({p.level for p in rewarded}) == len(rewarded)
    if rules.one_paid_per_coldkey:
        assert len({p.entry.coldkey for p in rewarded}) == len(rewarded)
    if rules.must_beat_baseline:
        assert all(
            p.entry.speedup_vs_baseline > 1 + rules.min_improvement
            for p in rewarded
        )


def test_four_are_paid_and_the_fifth_is_not():
    scores = {"a": 500.0, "b": 400.0, "c": 300.0, "d": 200.0, "e": 100.0}
    assert paid([entry(name, score) for name, score in scores.items()]) == {
        "a": 1,
        "b": 2,
        "c": 3,
        "d": 4,
        "e": U.NO_PLACE_LEFT,
    }


def test_a_copy_is_unpaid_and_leaves_its_place_to_the_next():
    assert paid(
        [
            entry("original", 300.0, block=1),
            entry("copy", 310.0, block=2, identity="code-original"),
            entry("slow", 100.0, block=3),
        ]
    ) == {"original": 1, "copy": U.NOT_A_FOUNDER, "slow": 2}


def test_a_coldkey_is_paid_once():
    crowd = [
        entry("a", 300.0, coldkey="X"),
        entry("b", 200.0, coldkey="X"),
        entry("c", 100.0, coldkey="Y"),
    ]
    assert paid(crowd) == {"a": 1, "b": U.COLDKEY_ALREADY_PAID, "c": 2}
    assert paid(crowd, one_paid_per_coldkey=False) == {"a": 1, "b": 2, "c": 3}


@pytest.mark.parametrize("speedup", [0.5, 1.0, 1.015])
def test_who_does_not_beat_the_baseline_is_unpaid(speedup):
    slow = [entry("a", 300.0, speedup=speedup)]
    assert paid(slow) == {"a": U.NOT_FASTER_THAN_BASELINE}
    assert paid(slow, must_beat_baseline=False) == {"a": 1}


def test_with_records_only_a_slowed_copy_fills_no_place():
    crowd = [entry("a", 300.0, block=1), entry("slowed", 200.0, block=2)]
    assert paid(crowd) == {"a": 1, "slowed": 2}
    assert paid(crowd, records_only=True) == {"a": 1, "slowed": U.NOT_A_RECORD}


def test_an_empty_round_has_an_empty_ladder():
    assert place([], RoundSettings()) == ()


def test_a_leagues_board_holds_that_league_alone():
    assert names(
        league_board(
            [
                entry("a", 100.0),
                entry("b", 900.0, league="1M"),
                entry("c", 200.0, block=1),
            ],
            "300k",
            0.015,
        )
    ) == ["c", "a"]


def test_who_was_not_first_to_commit_his_code_in_any_round_is_unpaid():
    crowd = [
        entry("stolen", 300.0, block=1, original=False),
        entry("own", 200.0, block=2),
    ]
    assert paid(crowd) == {"stolen": U.NOT_THE_ORIGINAL, "own": 1}


TABLES = {
    # the bound is 1.5 %
    "1.4 % above": (
        [("a", 1, 100.0, {}), ("b", 2, 101.4, {})],
        [("a", 1), ("b", U.NOT_A_FOUNDER)],
    ),
    "1.6 % above": (
        [("a", 1, 100.0, {}), ("b", 2, 101.6, {})],
        [("b", 1), ("a", 2)],
    ),
    # nobody passes an equal, and equals share a level
    "a tie in one block": (
        [("b", 1, 100.0, {}), ("a", 1, 100.0, {})],
        [("a", 1), ("b", U.NOT_A_FOUNDER)],
    ),
    # c beats b but not a: it stops under a, above the b that it beats
    "a climb that stops": (
        [("a", 1, 200.0, {}), ("b", 2, 100.0, {}), ("c", 3, 150.0, {})],
        [("a", 1), ("c", 2), ("b", 3)],
    ),
    # c beats a, but not b directly over it: it never meets a
    "a wall of a later and slower one": (
        [("a", 1, 100.0, {}), ("b", 2, 100.9, {}), ("c", 3, 102.0, {})],
        [("a", 1), ("b", U.NOT_A_FOUNDER), ("c", U.NOT_A_FOUNDER)],
    ),
    "a copy in the same league, one token longer": (
        [
            ("a", 1, 100.0, {"identity": "x", "length": 300_000}),
            ("b", 2, 300.0, {"identity": "x", "length": 300_001}),
            ("c", 3, 50.0, {}),
        ],
        [("a", 1), ("b", U.NOT_A_FOUNDER), ("c", 2)],
    ),
    # the same code in another league is other work, at its own score
    "the same code in two leagues": (
        [
            ("a", 1, 100.0, {"identity": "x", "league": "300k"}),
            ("b", 2, 300.0, {"identity": "x", "league": "1M"}),
        ],
        [("b", 1), ("a", 2)],
    ),
    # the miner M stands with his best alone; his level is his own
    "one miner with many entries": (
        [
            ("m1", 1, 100.0, {"hotkey": "M", "coldkey": "M"}),
            ("m2", 2, 200.0, {"hotkey": "M", "coldkey": "M"}),
            ("m3", 3, 300.0, {"hotkey": "M", "coldkey": "M"}),
            ("b", 4, 250.0, {}),
        ],
        [("m3", 1), ("b", 2)],
    ),
    # two hotkeys of one owner: the better one is paid
    "one owner with two miners": (
        [
            ("a", 1, 300.0, {"coldkey": "X"}),
            ("b", 2, 200.0, {"coldkey": "X"}),
            ("c", 3, 100.0, {}),
        ],
        [("a", 1), ("b", U.COLDKEY_ALREADY_PAID), ("c", 2)],
    ),
    # 1.015 is not more than 1 + 1.5 %
    "at the baseline": (
        [
            ("a", 1, 300.0, {"speedup": 1.015}),
            ("b", 2, 200.0, {"speedup": 1.0151}),
        ],
        [("a", U.NOT_FASTER_THAN_BASELINE), ("b", 1)],
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_ladder_is_as_it_was_worked_out_by_hand(name):
    given_entries, expected = TABLES[name]
    crowd = [
        entry(one, score, block=block, **changes)
        for one, block, score, changes in given_entries
    ]
    assert list(paid(crowd).items()) == expected
