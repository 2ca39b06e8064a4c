"""What to set: only by frozen standings that add up, only to who is there."""

from __future__ import annotations

from dataclasses import replace

import pytest
from quasar_core.chain.chain import MetagraphSnapshot, Neuron, SubnetRules
from quasar_core.contracts.http import Standings

from services.weight_setter.decision import NotTrusted, decide, paid_shares
from tests.support.api_server import standings, standings_row
from tests.support.wallets import address

NAMES = ("owner", "first", "second", "third", "fourth")
GRAPH = MetagraphSnapshot(
    netuid=24,
    block=100,
    neurons=tuple(
        Neuron(uid, address(name), address(f"{name}-cold"))
        for uid, name in enumerate(NAMES)
    ),
    owner_uid=0,
)
RULES = SubnetRules(
    tempo=360,
    weights_rate_limit=100,
    min_allowed_weights=1,
    max_weight_limit=1.0,
    commit_reveal=False,
)


def without(*names: str) -> MetagraphSnapshot:
    gone = {address(name) for name in names}
    neurons = tuple(n for n in GRAPH.neurons if n.hotkey not in gone)
    owner = None if "owner" in names else 0
    return replace(GRAPH, neurons=neurons, owner_uid=owner)


def test_places_one_to_four_are_weighed():
    decision = decide(standings(), 1, GRAPH, RULES)

    assert decision.shares == pytest.approx({1: 0.6, 2: 0.25, 3: 0.1, 4: 0.05})
    assert decision.hotkeys == {
        uid: address(name) for uid, name in enumerate(NAMES) if uid
    }
    assert (dict(decision.dropped), decision.reason) == ({}, "")


def test_who_is_not_registered_is_dropped_and_never_uid_0():
    decision = decide(standings(), 1, without("first", "third"), RULES)

    assert decision.shares == pytest.approx({2: 0.25 / 0.3, 4: 0.05 / 0.3})
    assert set(decision.dropped) == {address("first"), address("third")}


def test_with_nobody_left_nothing_is_set():
    decision = decide(standings(), 1, without(*NAMES[1:]), RULES)

    assert decision.shares == {}
    assert "registered" in decision.reason
    assert len(decision.dropped) == 4


def test_a_round_that_paid_nobody_sets_nothing():
    decision = decide(standings(rows=()), 1, GRAPH, RULES)

    assert (decision.shares, decision.reason) == ({}, "the round paid nobody")


def test_a_burn_goes_to_the_owners_uid():
    rows = (standings_row(1, 0.6, "first"),)

    decision = decide(standings(rows=rows, burn_share=0.4), 1, GRAPH, RULES)

    assert decision.shares == pytest.approx({0: 0.4, 1: 0.6})


def test_a_burn_without_an_owner_is_remarked_upon():
    rows = (standings_row(1, 0.6, "first"),)

    decision = decide(
        standings(rows=rows, burn_share=0.4), 1, without("owner"), RULES
    )

    assert decision.shares == {1: 1.0}
    assert "no owner's uid" in decision.reason


def test_the_subnets_limits_are_kept_and_told():
    few = decide(standings(), 1, GRAPH, replace(RULES, min_allowed_weights=5))
    cut = decide(standings(), 1, GRAPH, replace(RULES, max_weight_limit=0.4))

    assert few.shares == {}
    assert "fewer than the 5" in few.reason
    assert max(cut.shares.values()) == pytest.approx(0.4, abs=1e-5)
    assert "uid 1" in cut.reason


def test_a_metagraph_with_one_uid_for_two_is_not_trusted():
    twins = replace(
        GRAPH, neurons=tuple(replace(n, uid=3) for n in GRAPH.neurons)
    )

    with pytest.raises(NotTrusted, match="makes no sense"):
        decide(standings(), 1, twins, RULES)


def _rows(*changes: dict) -> Standings:
    rows = list(standings().rows)
    for place, change in enumerate(changes):
        rows[place] = rows[place].model_copy(update=change)
    return standings(rows=tuple(rows))


@pytest.mark.parametrize(
    ("what", "why"),
    [
        (standings(round_number=2), "asked for round 1"),
        (standings(final=False), "not final"),
        (standings(status="open"), "not final"),
        (standings(status="evaluating"), "not final"),
        (_rows({"share": 0.7}), "sum to 1.1"),
        (_rows({"share": -0.6}), "share -0.6"),
        (_rows({"share": float("nan")}), "share nan"),
        (_rows({"share": float("inf")}), "share inf"),
        (_rows({"paid_place": None}), "unpaid and paid"),
        (_rows({"hotkey": address("second")}), "paid twice"),
        (_rows({"hotkey": "5" * 48}), "no hotkey"),
        (standings(burn_share=0.1), "sum to 1.1"),
        (standings(burn_share=-0.1), "burn's share"),
        (standings(rows=(), burn_share=0.5), "sum to 0.5"),
    ],
)
def test_standings_that_are_not_final_or_do_not_add_up_are_refused(what, why):
    with pytest.raises(NotTrusted, match=why):
        paid_shares(what, 1)


def test_weighed_standings_are_as_final_as_finalised_ones():
    assert len(paid_shares(standings(status="weighed"), 1)) == 4


# uid of each hotkey when it was scored: owner 0, first 1, ... fourth 4;
# shares of places one to four: 0.60, 0.25, 0.10, 0.05
D11 = {
    "all are there": ({}, {1: 0.6, 2: 0.25, 3: 0.1, 4: 0.05}),
    "the winner has left": ({1: None}, {2: 0.625, 3: 0.25, 4: 0.125}),
    "a newcomer has the winner's uid": (
        {1: "newcomer"},
        {2: 0.625, 3: 0.25, 4: 0.125},
    ),
    "a newcomer has uid 0": (
        {0: "newcomer"},
        {1: 0.6, 2: 0.25, 3: 0.1, 4: 0.05},
    ),
    "the second swapped his hotkey": (
        {2: "second-swapped"},
        {1: 0.8, 3: 0.1 / 0.75, 4: 0.05 / 0.75},
    ),
    "two have changed places": (
        {1: "second", 2: "first"},
        {2: 0.6, 1: 0.25, 3: 0.1, 4: 0.05},
    ),
    "the winner came back as uid 0": (
        {0: "first", 1: None},
        {0: 0.6, 2: 0.25, 3: 0.1, 4: 0.05},
    ),
    "only the last is left": ({1: None, 2: None, 3: None}, {4: 1.0}),
    "nobody is left": ({1: None, 2: None, 3: None, 4: None}, {}),
}


@pytest.mark.parametrize(("changes", "expected"), D11.values(), ids=D11)
def test_d11_uids_are_those_of_the_hotkeys_at_the_moment_of_setting(
    changes, expected
):
    names = dict(enumerate(NAMES)) | changes
    graph = replace(
        GRAPH,
        neurons=tuple(
            Neuron(uid, address(name), address(f"{name}-cold"))
            for uid, name in names.items()
            if name is not None
        ),
    )

    decision = decide(standings(), 1, graph, RULES)

    assert decision.shares == pytest.approx(expected)
    gone = {address(name) for name in NAMES[1:]} - {
        neuron.hotkey for neuron in graph.neurons
    }
    assert set(decision.dropped) == gone
