"""Who is who on a local stack: its chain, its wallets, its workers' keys."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from quasar_core.chain.local import LocalChain
from quasar_core.chain.local_state import Genesis
from quasar_core.chain.signatures import worker_keypair
from quasar_core.chain.wallets import OpenWallet, create_wallet

from deploy.local.environment import Place

NETUID = 24
BENCHMARK_WORKER = "benchmark-1"
VERIFIER_WORKER = "verifier-1"
TEMPO_BLOCKS = 5


@dataclass(frozen=True)
class Identities:
    """The local chain and those who stand on it before any miner does.

    `owner` is the subnet's owner and the API's own hotkey, to which signed
    requests are addressed. `workers` maps a worker's name to the file of
    its seed.
    """

    chain: LocalChain
    owner: OpenWallet
    validator: OpenWallet
    workers: dict[str, Path]

    def worker_hotkeys(self) -> dict[str, str]:
        """The workers' addresses: whose results count."""
        return {
            name: worker_keypair(seed).ss58_address
            for name, seed in self.workers.items()
        }


def establish(place: Place, block_seconds: float) -> Identities:
    """Open the identities of a stack, and make first what is missing."""
    owner = create_wallet("owner", "default", place.wallets)
    validator = create_wallet("validator", "default", place.wallets)
    chain = LocalChain.create(
        place.chain_file,
        Genesis(
            netuid=NETUID,
            block_seconds=block_seconds,
            tempo=TEMPO_BLOCKS,
            weights_rate_limit=TEMPO_BLOCKS,
            owner_hotkey=owner.hotkey,
        ),
    )
    register(chain, owner, permit=True)
    register(chain, validator, permit=True)
    seeds = place.root / "keys"
    return Identities(
        chain=chain,
        owner=owner,
        validator=validator,
        workers={
            name: seeds / f"{name}.seed"
            for name in (BENCHMARK_WORKER, VERIFIER_WORKER)
        },
    )


def register(
    chain: LocalChain, wallet: OpenWallet, *, permit: bool = False
) -> int:
    """Put a wallet's hotkey on the chain; its uid."""
    coldkey = wallet.coldkey or wallet.hotkey
    return chain.register(wallet.hotkey, coldkey, validator_permit=permit)
