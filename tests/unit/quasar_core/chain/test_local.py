"""LocalChain: blocks of wall time, registrations, weights that are told."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest
from quasar_core.chain.chain import ChainUnavailable, SetOutcome
from quasar_core.chain.local import LocalChain, RegistrationRefused
from quasar_core.chain.local_state import Genesis

from tests.support.chains import Clock
from tests.support.wallets import address

ALICE, BOB = address("alice"), address("bob")
COLD = address("cold")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "chain.json"


def make(path: Path, clock: Clock, **genesis) -> LocalChain:
    return LocalChain.create(path, Genesis(**genesis), clock=clock)


def test_a_block_lasts_its_seconds(path, clock):
    chain = make(path, clock, block_seconds=12.0)

    clock.now += 11.9
    assert chain.block() == 0
    clock.now += 0.1
    assert chain.block() == 1


def test_a_clock_set_back_takes_no_written_block_back(path, clock):
    chain = make(path, clock)
    clock.now += 1_200
    chain.register(ALICE, COLD)
    clock.now -= 600

    assert chain.block() == 100


def test_blocks_may_pass_at_once_and_the_clock_goes_on_from_there(path, clock):
    chain = LocalChain.create(path, Genesis(block_seconds=2.0), clock=clock)
    assert chain.advance(100) == 100
    clock.now += 4.0
    assert LocalChain(path, clock=clock).block() == 102
    with pytest.raises(ValueError, match="backwards"):
        chain.advance(-1)


def test_a_chain_is_begun_once_and_then_opened(path, clock):
    make(path, clock, tempo=5).register(ALICE, COLD)

    again = make(path, clock, tempo=9)

    assert again.rules().tempo == 5
    assert again.metagraph().by_hotkey()[ALICE].coldkey == COLD


def test_another_subnets_chain_is_refused(path, clock):
    make(path, clock, netuid=24)

    with pytest.raises(ChainUnavailable, match="subnet 24, not 439"):
        LocalChain(path, netuid=439)


def test_registering_again_keeps_the_uid_and_may_add_the_permit(path, clock):
    chain = make(path, clock)

    uids = [
        chain.register(ALICE, COLD),
        chain.register(BOB, COLD),
        chain.register(ALICE, COLD, validator_permit=True, stake=7.0),
        chain.register(ALICE, COLD),
    ]

    neuron = chain.metagraph().by_hotkey()[ALICE]
    assert uids == [0, 1, 0, 0]
    assert (neuron.validator_permit, neuron.stake) == (True, 7.0)


def test_nobody_takes_another_coldkeys_hotkey(path, clock):
    chain = make(path, clock)
    chain.register(ALICE, COLD)

    with pytest.raises(RegistrationRefused, match="another coldkey"):
        chain.register(ALICE, BOB)

    assert chain.metagraph().by_hotkey()[ALICE].coldkey == COLD


def test_a_full_subnet_takes_nobody_until_a_uid_is_free(path, clock):
    chain = make(path, clock, max_uids=1)
    chain.register(ALICE, COLD)
    with pytest.raises(RegistrationRefused, match="full"):
        chain.register(BOB, COLD)

    chain.deregister(ALICE)

    assert chain.register(BOB, COLD) == 0
    assert set(chain.metagraph().by_hotkey()) == {BOB}


def test_the_owner_is_told_and_needs_no_permit(path, clock):
    chain = make(path, clock)
    chain.register(BOB, COLD)
    chain.register(ALICE, COLD)
    chain.set_owner(ALICE)

    assert chain.metagraph().owner_uid == 1
    assert chain.set_weights({0: 1.0}, ALICE).outcome is SetOutcome.SET


def test_committed_weights_show_when_the_next_epoch_begins(path, clock):
    chain = make(
        path,
        clock,
        commit_reveal=True,
        tempo=10,
        weights_rate_limit=5,
        block_seconds=1.0,
    )
    chain.register(ALICE, COLD, validator_permit=True)
    chain.register(BOB, COLD)
    clock.now += 3
    chain.set_weights({0: 1.0}, ALICE)
    seen = {}
    for _ in range(20):
        seen[chain.block()] = dict(chain.weights_of(ALICE))
        if chain.block() == 12:
            chain.set_weights({1: 1.0}, ALICE)
        clock.now += 1

    assert all(seen[block] == {} for block in range(3, 10))
    assert all(seen[block] == {0: 1.0} for block in range(10, 20))
    assert all(seen[block] == {1: 1.0} for block in range(20, 23))


def test_who_leaves_takes_his_weights_along(path, clock):
    chain = make(path, clock)
    chain.register(ALICE, COLD, validator_permit=True)
    chain.set_weights({0: 1.0}, ALICE)

    chain.deregister(ALICE)

    assert chain.weights_of(ALICE) == {}


def _register_ten(path: Path, first: int) -> None:
    chain = LocalChain(path)
    for number in range(first, first + 10):
        chain.register(address(f"miner-{number}"), COLD)


def test_many_processes_register_at_once_and_none_is_lost(path, clock):
    make(path, clock)
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(target=_register_ten, args=(path, first))
        for first in (0, 10, 20)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    neurons = LocalChain(path).metagraph().neurons
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert [n.uid for n in neurons] == list(range(30))
    assert {n.hotkey for n in neurons} == {
        address(f"miner-{number}") for number in range(30)
    }
