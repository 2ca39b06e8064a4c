"""The neuron: chain, wallet, registration, and the validator's permit."""

from __future__ import annotations

from collections.abc import Iterator

from quasar_core.chain.chain import ChainUnavailable, MetagraphSnapshot
from quasar_core.chain.keys import KeyFault
from quasar_core.chain.open import ChainUrlFault, open_chain
from quasar_core.chain.validators import NoValidator, validator_of
from quasar_core.chain.wallets import OpenWallet, open_wallet
from quasar_core.doctor.findings import Finding
from quasar_core.settings import WalletSettings

FIRST = "mend what is marked above first"


def check_wallet(settings: WalletSettings) -> Iterator[Finding]:
    """Whether the chain answers, and the wallet is there and can sign."""
    yield _chain(settings)[0]
    yield _wallet(settings)[0]


def check_miner(settings: WalletSettings) -> Iterator[Finding]:
    """The same, and whether its hotkey is registered on the subnet."""
    chain, metagraph = _chain(settings)
    found, wallet = _wallet(settings)
    yield from (chain, found, _registration(metagraph, wallet))


def check_validator(settings: WalletSettings) -> Iterator[Finding]:
    """The same, and whether it may set weights."""
    chain, metagraph = _chain(settings)
    found, wallet = _wallet(settings)
    yield from (chain, found, _registration(metagraph, wallet))
    yield _permit(metagraph, wallet)


def _chain(
    settings: WalletSettings,
) -> tuple[Finding, MetagraphSnapshot | None]:
    fix = (
        "name one that answers with QUASAR_CHAIN_URL or --chain-url, and its"
        " subnet with QUASAR_NETUID or --netuid"
    )
    try:
        chain = open_chain(settings.chain_url, settings.netuid)
        metagraph = chain.metagraph()
    except (ChainUnavailable, ChainUrlFault) as fault:
        return Finding("chain", ok=False, detail=str(fault), fix=fix), None
    count = len(metagraph.neurons)
    detail = (
        f"subnet {metagraph.netuid} on {settings.chain_url}: block"
        f" {metagraph.block}, {count} neurons"
    )
    return Finding("chain", ok=True, detail=detail), metagraph


def _wallet(
    settings: WalletSettings,
) -> tuple[Finding, OpenWallet | None]:
    name = f"{settings.wallet_name}/{settings.wallet_hotkey}"
    try:
        wallet = open_wallet(
            settings.wallet_name, settings.wallet_hotkey, settings.wallet_path
        )
    except KeyFault as fault:
        return (
            Finding("wallet", ok=False, detail=name, fix=str(fault)),
            None,
        )
    detail = f"{name} signs as {wallet.hotkey}"
    return Finding("wallet", ok=True, detail=detail), wallet


def _registration(
    metagraph: MetagraphSnapshot | None, wallet: OpenWallet | None
) -> Finding:
    if metagraph is None or wallet is None:
        return Finding("registration", ok=False, detail="unknown", fix=FIRST)
    neuron = metagraph.by_hotkey().get(wallet.hotkey)
    if neuron is None:
        return Finding(
            "registration",
            ok=False,
            detail=f"{wallet.hotkey} has no uid on subnet {metagraph.netuid}",
            fix="register it: btcli subnets register --netuid"
            f" {metagraph.netuid}",
        )
    return Finding("registration", ok=True, detail=f"uid {neuron.uid}")


def _permit(
    metagraph: MetagraphSnapshot | None, wallet: OpenWallet | None
) -> Finding:
    if metagraph is None or wallet is None:
        return Finding("permit", ok=False, detail="unknown", fix=FIRST)
    try:
        neuron = validator_of(metagraph, wallet.hotkey)
    except NoValidator as fault:
        return Finding("permit", ok=False, detail="none", fix=str(fault))
    return Finding("permit", ok=True, detail=f"uid {neuron.uid} may validate")
