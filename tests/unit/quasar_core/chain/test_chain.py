"""The chain as its callers see it: its values, and its one fault."""

from __future__ import annotations

from quasar_core.chain.chain import (
    ChainUnavailable,
    MetagraphSnapshot,
    Neuron,
)
from quasar_core.errors import TransientError

ALICE = Neuron(uid=3, hotkey="alice", coldkey="cold")
BOB = Neuron(uid=0, hotkey="bob", coldkey="cold", validator_permit=True)


def test_neurons_are_found_by_their_hotkey():
    graph = MetagraphSnapshot(netuid=24, block=7, neurons=(ALICE, BOB))

    assert graph.by_hotkey() == {"alice": ALICE, "bob": BOB}
    assert graph.by_hotkey().get("stranger") is None


def test_a_chain_that_is_away_is_the_worlds_fault():
    assert issubclass(ChainUnavailable, TransientError)
