"""Caches before the chain: fresh, then old, then none; never in between."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import pytest
from quasar_core.chain.chain import (
    ChainUnavailable,
    MetagraphSnapshot,
    Neuron,
)
from quasar_core.chain.metagraph import BlockCache, MetagraphCache

from tests.support.chains import Clock


@dataclass
class Counted:
    """A chain that counts how often it is asked, and may be away."""

    netuid: int = 24
    block_seconds: float = 12.0
    reads: int = 0
    away: bool = False
    hotkeys: list[str] = field(default_factory=lambda: ["alice"])
    gate: threading.Event | None = None

    def block(self) -> int:
        self._read()
        return 100 + self.reads

    def metagraph(self) -> MetagraphSnapshot:
        self._read()
        if self.gate is not None:
            self.gate.wait(timeout=10)
        neurons = tuple(
            Neuron(uid, hotkey, "cold")
            for uid, hotkey in enumerate(self.hotkeys)
        )
        return MetagraphSnapshot(24, self.reads, neurons)

    def _read(self) -> None:
        self.reads += 1
        if self.away:
            raise ChainUnavailable("the node is away")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def chain() -> Counted:
    return Counted()


@pytest.fixture
def cache(chain, clock) -> MetagraphCache:
    return MetagraphCache(chain, 60, 600, clock=clock)


def test_a_fresh_metagraph_is_not_read_again(cache, chain, clock):
    cache.snapshot()
    clock.now += 60
    cache.snapshot()

    assert chain.reads == 1
    assert cache.age_seconds() == 60


def test_an_old_metagraph_is_read_again(cache, chain, clock):
    cache.snapshot()
    clock.now += 61

    assert cache.snapshot().block == 2
    assert cache.age_seconds() == 0


def test_while_the_chain_is_away_the_old_one_serves_until_it_is_stale(
    cache, chain, clock
):
    cache.snapshot()
    chain.away = True

    clock.now += 600
    assert cache.snapshot().block == 1
    clock.now += 1
    with pytest.raises(ChainUnavailable, match="the node is away"):
        cache.snapshot()


def test_without_a_first_answer_there_is_none(cache, chain):
    chain.away = True

    with pytest.raises(ChainUnavailable):
        cache.snapshot()
    assert cache.age_seconds() is None


def test_a_chain_that_is_away_is_not_asked_with_every_request(
    cache, chain, clock
):
    chain.away = True
    for _ in range(10):
        with pytest.raises(ChainUnavailable):
            cache.snapshot()
    assert chain.reads == 1

    clock.now += 5
    chain.away = False
    assert cache.snapshot().block == 2


def test_who_has_just_registered_is_found(cache, chain, clock):
    assert cache.find("bob") is None
    chain.hotkeys.append("bob")
    clock.now += 2.1

    assert cache.find("bob") == Neuron(1, "bob", "cold")


def test_strangers_do_not_make_the_chain_be_read_each_time(
    cache, chain, clock
):
    cache.snapshot()
    for _ in range(100):
        assert cache.find("stranger") is None
        clock.now += 0.01

    assert chain.reads == 1


def test_a_known_miner_is_found_while_the_chain_is_away(cache, chain, clock):
    cache.snapshot()
    chain.away = True
    clock.now += 100

    assert cache.find("alice") == Neuron(0, "alice", "cold")
    assert cache.find("stranger") is None


def test_what_is_at_hand_is_told_without_asking_the_chain(cache, chain, clock):
    assert cache.at_hand("alice") is None
    assert chain.reads == 0
    cache.find("alice")
    assert cache.at_hand("alice").uid == 0
    assert cache.at_hand("bob") is None
    clock.now += 61
    assert cache.at_hand("alice") is None
    assert chain.reads == 1


def test_one_thread_reads_while_the_others_go_on_with_the_old_one(
    cache, chain, clock
):
    cache.snapshot()
    clock.now += 61
    chain.gate = threading.Event()
    reader = threading.Thread(target=cache.snapshot)
    reader.start()
    while chain.reads < 2:
        pass

    assert cache.snapshot().block == 1
    chain.gate.set()
    reader.join()
    assert cache.snapshot().block == 2
    assert chain.reads == 2


def test_threads_without_any_answer_wait_for_one_reading(cache, chain):
    chain.gate = threading.Event()
    seen: list[int] = []
    threads = [
        threading.Thread(target=lambda: seen.append(cache.snapshot().block))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    chain.gate.set()
    for thread in threads:
        thread.join()

    assert seen == [1, 1, 1, 1]


def test_a_height_older_than_three_blocks_is_none(chain, clock):
    blocks = BlockCache(chain, clock=clock)
    assert blocks.block() == 101
    chain.away = True

    clock.now += 36
    assert blocks.block() == 101
    clock.now += 1
    with pytest.raises(ChainUnavailable):
        blocks.block()


def test_the_height_is_read_twice_per_block_at_most(chain, clock):
    blocks = BlockCache(chain, clock=clock)
    for _ in range(120):
        blocks.block()
        clock.now += 0.1

    assert chain.reads == 2


def test_a_snapshot_tells_of_a_block_however_old_it_is(chain, clock):
    cache = MetagraphCache(chain, 60.0, 600.0, clock=clock)
    assert cache.last_block() is None
    block = cache.snapshot().block
    clock.now += 3_600
    chain.away = True
    assert cache.last_block() == block
