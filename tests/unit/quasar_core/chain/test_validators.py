"""Who may set weights, and from which block on."""

from __future__ import annotations

from dataclasses import replace

import pytest
from quasar_core.chain.chain import MetagraphSnapshot, Neuron, SubnetRules
from quasar_core.chain.validators import (
    NoValidator,
    blocks_to_wait,
    validator_of,
)

ALICE = Neuron(0, "alice", "cold", validator_permit=True)
OWNER = Neuron(1, "owner", "cold")
MINER = Neuron(2, "miner", "cold")
GRAPH = MetagraphSnapshot(24, 500, (ALICE, OWNER, MINER), owner_uid=1)
RULES = SubnetRules(
    tempo=360,
    weights_rate_limit=100,
    min_allowed_weights=1,
    max_weight_limit=1.0,
    commit_reveal=False,
)


@pytest.mark.parametrize("neuron", [ALICE, OWNER])
def test_a_permit_or_the_subnet_itself_lets_one_set_weights(neuron):
    assert validator_of(GRAPH, neuron.hotkey) == neuron


@pytest.mark.parametrize(
    ("hotkey", "why"),
    [
        ("stranger", "not_registered: stranger has no uid on subnet 24"),
        ("miner", "not_authorized: miner .uid 2. has no validator permit"),
    ],
)
def test_who_may_not_is_told_what_he_lacks(hotkey, why):
    with pytest.raises(NoValidator, match=why):
        validator_of(GRAPH, hotkey)


@pytest.mark.parametrize(
    ("last_update", "block", "wait"),
    [
        (None, 5, 0),
        (0, 5, 95),
        (100, 100, 100),
        (100, 199, 1),
        (100, 200, 0),
        (100, 900, 0),
    ],
)
def test_the_rate_limit_counts_from_the_last_update(last_update, block, wait):
    neuron = replace(ALICE, last_update=last_update)

    assert blocks_to_wait(neuron, block, RULES) == wait
