"""Two worlds with the same handles: a chain in a file, a node in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from quasar_core.chain.chain import Chain, MetagraphSnapshot
from quasar_core.chain.local import LocalChain
from quasar_core.chain.local_state import Genesis
from quasar_core.chain.subtensor import SubtensorChain
from quasar_core.chain.wallets import OpenWallet

from tests.support.substrate import FakeNeuron, InMemorySubstrate
from tests.support.wallets import KeyedWallet, address, keypair

T = TypeVar("T")

NETUID = 24
KINDS = ("local", "subtensor")
MINERS = ("first", "second", "third", "fourth")
VALIDATOR = address("validator")


def validator_wallet(name: str = "validator") -> OpenWallet:
    """An open wallet of this name, without files."""
    return OpenWallet(
        name=name,
        hotkey=address(name),
        coldkey=address(f"{name}-cold"),
        keypair=keypair(name),
        wallet=KeyedWallet(keypair(name), keypair(f"{name}-cold")),
    )


@dataclass(frozen=True)
class Rules:
    """The subnet's settings, as both worlds are made with."""

    tempo: int = 360
    rate_limit: int = 100
    min_allowed: int = 1
    max_weight: float = 1.0
    commit_reveal: bool = False


@dataclass
class Clock:
    """A clock that stands still until it is told."""

    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class HangingChain:
    """A chain that can be read, but answers only while its gate is open."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self.netuid = chain.netuid
        self.block_seconds = chain.block_seconds
        self.gate = threading.Event()
        self.asked: list[str] = []
        self.answered: list[str] = []

    def block(self) -> int:
        """The current block's number."""
        return self._through_the_gate("block", self._chain.block)

    def metagraph(self) -> MetagraphSnapshot:
        """Who is registered now."""
        return self._through_the_gate("metagraph", self._chain.metagraph)

    def _through_the_gate(self, name: str, question: Callable[[], T]) -> T:
        self.asked.append(name)
        self.gate.wait(timeout=60)
        self.answered.append(name)
        return question()


@dataclass
class World:
    """A chain and what moves it."""

    chain: Chain
    register: Callable[[str, bool], int]
    advance: Callable[[int], None]
    replace: Callable[[str, str], None]
    """(gone, newcomer): the uid of the one is given to the other."""
    close: Callable[[], None] = field(default=lambda: None)
    node: InMemorySubstrate | None = None


def local_world(path: Path, rules: Rules) -> World:
    """A LocalChain under a clock that the test holds."""
    clock = Clock()
    genesis = Genesis(
        netuid=NETUID,
        tempo=rules.tempo,
        weights_rate_limit=rules.rate_limit,
        min_allowed_weights=rules.min_allowed,
        max_weight_limit=rules.max_weight,
        commit_reveal=rules.commit_reveal,
        owner_hotkey=address("owner"),
    )
    chain = LocalChain.create(path / "chain.json", genesis, clock=clock)

    def register(name: str, permit: bool) -> int:
        return chain.register(
            address(name), address(f"{name}-cold"), validator_permit=permit
        )

    def advance(blocks: int) -> None:
        clock.now += blocks * genesis.block_seconds

    def replace(gone: str, newcomer: str) -> None:
        chain.deregister(address(gone))
        register(newcomer, False)

    return World(chain, register, advance, replace)


def subtensor_world(rules: Rules) -> World:
    """A SubtensorChain whose SDK talks to a node in memory."""
    node = InMemorySubstrate(
        netuid=NETUID,
        tempo=rules.tempo,
        rate_limit=rules.rate_limit,
        min_allowed=rules.min_allowed,
        max_weight=round(rules.max_weight * 65_535),
        commit_reveal=rules.commit_reveal,
        owner_hotkey=address("owner"),
    )
    chain = SubtensorChain(
        "test", NETUID, wallet=validator_wallet(), substrate=node
    )

    def register(name: str, permit: bool) -> int:
        neuron = FakeNeuron(address(name), address(f"{name}-cold"), permit)
        node.neurons.append(neuron)
        return len(node.neurons) - 1

    def advance(blocks: int) -> None:
        node.height += blocks

    def replace(gone: str, newcomer: str) -> None:
        uid = [n.hotkey for n in node.neurons].index(address(gone))
        cold = address(f"{newcomer}-cold")
        node.neurons[uid] = FakeNeuron(address(newcomer), cold)

    return World(chain, register, advance, replace, chain.close, node)


@contextmanager
def worlds(kind: str, folder: Path) -> Iterator[Callable[..., World]]:
    """`make(rules, permit=True)`: a world of this kind, closed at the end.

    uid 0 is the validator, whose permit the caller may take away; then
    come the miners in the order of MINERS.
    """
    made: list[World] = []

    def make(rules: Rules | None = None, *, permit: bool = True) -> World:
        rules = rules or Rules()
        world = (
            local_world(folder, rules)
            if kind == "local"
            else subtensor_world(rules)
        )
        made.append(world)
        world.register("validator", permit)
        for name in MINERS:
            world.register(name, False)
        return world

    yield make
    for world in made:
        world.close()
