"""Known keys: the same person has the same address in every test."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import bittensor_core
from quasar_core.chain.keys import Keypair, keypair_from_seed


def keypair(name: str) -> Keypair:
    """The sr25519 keypair of this name."""
    return keypair_from_seed(hashlib.sha256(name.encode()).digest())


def address(name: str) -> str:
    """The ss58 address (prefix 42) of this name."""
    return keypair(name).ss58_address


@dataclass(frozen=True)
class Spelled:
    """A keypair that calls itself by its address with another prefix."""

    key: Keypair
    ss58_address: str

    @property
    def crypto_type(self) -> int:
        """The key's own."""
        return self.key.crypto_type

    @property
    def public_key(self) -> bytes:
        """The key's own."""
        return self.key.public_key

    def sign(self, payload: bytes) -> bytes:
        """The key's own."""
        return self.key.sign(payload)


def spelled(name: str) -> Spelled:
    """The keypair of this name, with an address of prefix 0."""
    key = keypair(name)
    return Spelled(key, bittensor_core.ss58_encode(key.public_key, 0))


@dataclass(frozen=True)
class KeyedWallet:
    """What the SDK takes for a wallet, without files."""

    hotkey: Keypair
    coldkey: Keypair

    @property
    def coldkeypub(self) -> Keypair:
        return self.coldkey
