"""Known keys: the same person has the same address in every test."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from quasar_core.chain.keys import Keypair, keypair_from_seed


def keypair(name: str) -> Keypair:
    """The sr25519 keypair of this name."""
    return keypair_from_seed(hashlib.sha256(name.encode()).digest())


def address(name: str) -> str:
    """The ss58 address (prefix 42) of this name."""
    return keypair(name).ss58_address


@dataclass(frozen=True)
class KeyedWallet:
    """What the SDK takes for a wallet, without files."""

    hotkey: Keypair
    coldkey: Keypair

    @property
    def coldkeypub(self) -> Keypair:
        return self.coldkey
