"""CountedChain: each call is counted by how it ended, and by no more."""

from __future__ import annotations

import pytest
from prometheus_client import REGISTRY
from quasar_core.chain.chain import ChainUnavailable
from quasar_core.chain.counted import CountedChain
from quasar_core.chain.local import LocalChain
from quasar_core.chain.local_state import Genesis
from quasar_core.chain.open import open_chain

from tests.support.wallets import address


def tally() -> dict[tuple[str, str], float]:
    return {
        (sample.labels["call"], sample.labels["outcome"]): sample.value
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if sample.name == "quasar_chain_calls_total"
    }


@pytest.fixture
def counts():
    """What was counted since the test began."""
    before = tally()

    def since():
        after = tally()
        grown = {key: after[key] - before.get(key, 0.0) for key in after}
        return {key: number for key, number in grown.items() if number}

    return since


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "chain.json"
    chain = LocalChain.create(path, Genesis(weights_rate_limit=100))
    chain.register(
        address("validator"), address("cold"), validator_permit=True
    )
    return path


def test_a_chain_that_is_opened_counts_whatever_it_is_asked(path, counts):
    plain, chain = LocalChain(path), open_chain(f"local://{path}", 24)
    hotkey = address("validator")

    assert chain.metagraph().neurons == plain.metagraph().neurons
    assert chain.rules() == plain.rules()
    assert chain.epoch().tempo == plain.epoch().tempo
    assert chain.block() >= 0
    assert chain.weights_of(hotkey) == {}
    assert (chain.netuid, chain.block_seconds) == (24, plain.block_seconds)
    calls = ("open", "metagraph", "rules", "epoch", "block", "weights_of")
    assert counts() == {(call, "answered"): 1.0 for call in calls}


def test_setting_weights_is_counted_by_what_became_of_it(path, counts):
    chain = CountedChain(LocalChain(path))

    for hotkey in ("validator", "validator", "nobody"):
        chain.set_weights({0: 1.0}, address(hotkey))
    assert counts() == {
        ("set_weights", "set"): 1.0,
        ("set_weights", "rate_limited"): 1.0,
        ("set_weights", "refused"): 1.0,
    }


def test_a_call_without_an_answer_is_counted_and_raised(path, counts):
    chain = open_chain(f"local://{path}", 24)
    path.unlink()

    with pytest.raises(ChainUnavailable):
        chain.block()
    with pytest.raises(ChainUnavailable):
        open_chain(f"local://{path}", 24)
    assert counts() == {
        ("open", "answered"): 1.0,
        ("block", "unavailable"): 1.0,
        ("open", "unavailable"): 1.0,
    }
