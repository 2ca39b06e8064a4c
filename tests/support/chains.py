"""Two worlds with the same handles: a chain in a file, a node in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from quasar_core.chain.chain import Chain
from quasar_core.chain.local import LocalChain
from quasar_core.chain.local_state import Genesis
from quasar_core.chain.subtensor import SubtensorChain
from quasar_core.chain.wallets import OpenWallet

from tests.support.substrate import FakeNeuron, InMemorySubstrate
from tests.support.wallets import KeyedWallet, address, keypair

NETUID = 24
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


@dataclass
class World:
    """A chain and what moves it."""

    chain: Chain
    register: Callable[[str, bool], int]
    advance: Callable[[int], None]
    close: Callable[[], None] = field(default=lambda: None)


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

    return World(chain, register, advance)


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

    return World(chain, register, advance, chain.close)
