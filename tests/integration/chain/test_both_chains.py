"""What every Chain does, asked of both: the file and the real SDK."""

from __future__ import annotations

import pytest
from quasar_core.chain.chain import Neuron, SetOutcome
from quasar_core.domain.weights import resolve

from tests.support.chains import (
    KINDS,
    NETUID,
    VALIDATOR,
    Rules,
    local_world,
    subtensor_world,
    worlds,
)
from tests.support.wallets import address

SHARES = {1: 0.6, 2: 0.25, 3: 0.1, 4: 0.05}


@pytest.fixture(autouse=True)
def _no_cache_at_home(tmp_path, monkeypatch):
    cache = tmp_path / "symbols.json"
    monkeypatch.setenv("BTCLI_TOKEN_SYMBOLS_CACHE", str(cache))


@pytest.fixture(params=KINDS)
def make_world(request, tmp_path):
    with worlds(request.param, tmp_path) as make:
        yield make


def test_blocks_pass(make_world):
    world = make_world()
    before = world.chain.block()

    world.advance(7)

    assert world.chain.block() == before + 7


def test_the_metagraph_tells_who_is_registered(make_world):
    world = make_world()

    graph = world.chain.metagraph()

    assert graph.netuid == NETUID
    assert graph.block == world.chain.block()
    assert graph.neurons[0] == Neuron(
        uid=0,
        hotkey=VALIDATOR,
        coldkey=address("validator-cold"),
        validator_permit=True,
    )
    assert [n.uid for n in graph.neurons] == [0, 1, 2, 3, 4]
    assert graph.by_hotkey()[address("third")].uid == 3
    assert graph.owner_uid is None


def test_the_owner_is_known_once_registered(make_world):
    world = make_world()
    uid = world.register("owner", False)

    assert world.chain.metagraph().owner_uid == uid


def test_the_subnets_own_rules_can_be_read(make_world):
    world = make_world(Rules(tempo=99, rate_limit=20, min_allowed=2))

    rules = world.chain.rules()

    assert (rules.tempo, rules.weights_rate_limit) == (99, 20)
    assert rules.min_allowed_weights == 2
    assert rules.max_weight_limit == pytest.approx(1.0)
    assert rules.commit_reveal is False


def test_nobody_has_weights_before_he_sets_them(make_world):
    world = make_world()

    assert world.chain.weights_of(VALIDATOR) == {}
    assert world.chain.weights_of(address("stranger")) == {}


def test_weights_that_are_set_stand_on_chain(make_world):
    world = make_world()

    result = world.chain.set_weights(SHARES, VALIDATOR)

    assert (result.outcome, result.block) == (
        SetOutcome.SET,
        world.chain.block(),
    )
    assert world.chain.weights_of(VALIDATOR) == pytest.approx(SHARES, abs=1e-4)


def test_the_rate_limit_holds_until_its_last_block(make_world):
    world = make_world(Rules(rate_limit=20))
    world.chain.set_weights(SHARES, VALIDATOR)
    world.advance(19)

    early = world.chain.set_weights({1: 1.0}, VALIDATOR)
    world.advance(1)
    due = world.chain.set_weights({1: 1.0}, VALIDATOR)

    assert early.outcome is SetOutcome.RATE_LIMITED
    assert early.reason.startswith("rate_limited")
    assert due.outcome is SetOutcome.SET
    assert world.chain.weights_of(VALIDATOR) == {1: 1.0}


def test_a_validator_without_permit_is_refused(make_world):
    world = make_world(permit=False)

    result = world.chain.set_weights(SHARES, VALIDATOR)

    assert result.outcome is SetOutcome.REFUSED
    assert result.reason.startswith("not_authorized")
    assert world.chain.weights_of(VALIDATOR) == {}


def test_a_hotkey_that_is_not_registered_is_refused(tmp_path):
    for world in (local_world(tmp_path, Rules()), subtensor_world(Rules())):
        world.register("first", False)
        result = world.chain.set_weights({0: 1.0}, VALIDATOR)
        world.close()

        assert result.outcome is SetOutcome.REFUSED
        assert result.reason.startswith("not_registered")


def test_fewer_weights_than_the_subnet_wants_are_refused(make_world):
    world = make_world(Rules(min_allowed=5))

    result = world.chain.set_weights(SHARES, VALIDATOR)

    assert result.outcome is SetOutcome.REFUSED
    assert result.reason.startswith("invalid_argument")


def test_a_weight_for_a_uid_that_nobody_has_is_refused(make_world):
    world = make_world()

    result = world.chain.set_weights({77: 1.0}, VALIDATOR)

    assert result.outcome is SetOutcome.REFUSED
    assert result.reason.startswith("invalid_argument")


def test_committed_weights_stay_hidden_at_first(make_world):
    world = make_world(Rules(commit_reveal=True))

    result = world.chain.set_weights(SHARES, VALIDATOR)

    assert result.outcome is SetOutcome.SET
    assert world.chain.rules().commit_reveal is True
    assert world.chain.weights_of(VALIDATOR) == {}


def test_the_epochs_are_told(make_world):
    world = make_world(Rules(tempo=99))
    first = world.chain.epoch()

    world.advance(first.blocks_left)
    second = world.chain.epoch()

    assert first.block == world.chain.block() - first.blocks_left
    assert (first.tempo, first.next_start % 99) == (99, 0)
    assert 0 < first.blocks_left <= 99
    assert second.next_start == first.next_start + 99


def test_the_metagraph_tells_when_weights_were_last_set(make_world):
    world = make_world()
    before = world.chain.metagraph().by_hotkey()[VALIDATOR]

    block = world.chain.set_weights(SHARES, VALIDATOR).block
    world.advance(5)
    after = world.chain.metagraph().by_hotkey()[VALIDATOR]

    assert before.last_update is None
    assert after.last_update == block == world.chain.block() - 5


def test_a_commitment_counts_as_an_update_though_it_is_hidden(make_world):
    world = make_world(Rules(commit_reveal=True))

    block = world.chain.set_weights(SHARES, VALIDATOR).block
    again = world.chain.set_weights(SHARES, VALIDATOR)

    neuron = world.chain.metagraph().by_hotkey()[VALIDATOR]
    assert neuron.last_update == block
    assert again.outcome is SetOutcome.RATE_LIMITED


def test_a_uid_may_go_to_somebody_else(make_world):
    world = make_world()

    world.replace("second", "newcomer")

    graph = world.chain.metagraph()
    assert graph.neurons[2].hotkey == address("newcomer")
    assert address("second") not in graph.by_hotkey()


@pytest.mark.parametrize("limit", [0.3, 0.4, 0.5])
def test_what_is_fitted_to_the_largest_weight_is_taken(make_world, limit):
    world = make_world(Rules(max_weight=limit))
    rules = world.chain.rules()
    vector = resolve(
        dict(zip("abcd", SHARES.values(), strict=True)),
        dict(zip("abcd", SHARES, strict=True)),
        max_weight_limit=rules.max_weight_limit,
    )

    result = world.chain.set_weights(vector.shares, VALIDATOR)

    assert (result.outcome, result.reason) == (SetOutcome.SET, "")
    standing = world.chain.weights_of(VALIDATOR)
    assert max(standing.values()) <= rules.max_weight_limit
