"""Who stands on a local chain before any miner does."""

from quasar_core.chain.wallets import create_wallet

from deploy.local.environment import Place
from deploy.local.identities import (
    BENCHMARK_WORKER,
    VERIFIER_WORKER,
    establish,
    register,
)


def test_owner_and_validator_are_registered_with_a_permit(tmp_path):
    found = establish(Place(tmp_path), 1.0)
    neurons = found.chain.metagraph().by_hotkey()
    assert set(neurons) == {found.owner.hotkey, found.validator.hotkey}
    assert all(neuron.validator_permit for neuron in neurons.values())
    assert found.chain.metagraph().owner_uid == 0


def test_each_worker_has_a_key_of_its_own(tmp_path):
    found = establish(Place(tmp_path), 1.0).worker_hotkeys()
    assert set(found) == {BENCHMARK_WORKER, VERIFIER_WORKER}
    assert found[BENCHMARK_WORKER] != found[VERIFIER_WORKER]


def test_identities_are_taken_up_where_they_lie(tmp_path):
    first = establish(Place(tmp_path), 1.0)
    second = establish(Place(tmp_path), 1.0)
    assert first.owner.hotkey == second.owner.hotkey
    assert first.worker_hotkeys() == second.worker_hotkeys()
    assert len(second.chain.metagraph().neurons) == 2


def test_a_miner_is_registered_without_a_permit(tmp_path):
    chain = establish(Place(tmp_path), 1.0).chain
    wallet = create_wallet("miner", "default", tmp_path / "wallets")
    uid = register(chain, wallet)
    neuron = chain.metagraph().by_hotkey()[wallet.hotkey]
    assert neuron.uid == uid == 2
    assert neuron.coldkey == wallet.coldkey
    assert not neuron.validator_permit
