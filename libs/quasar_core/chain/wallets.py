"""Wallets: the SDK's own, opened or made, with faults in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from quasar_core.chain.keys import KeyFault, Keypair, canonical_hotkey

if TYPE_CHECKING:
    from bittensor import Wallet

DEFAULT_WALLET_PATH = Path("~/.bittensor/wallets")


@dataclass(frozen=True)
class OpenWallet:
    """A wallet whose hotkey can sign.

    `hotkey` and `coldkey` are canonical addresses; the coldkey's secret is
    never read, and its address is None where only the hotkey lies here.
    """

    name: str
    hotkey: str
    coldkey: str | None
    keypair: Keypair
    wallet: Wallet


def open_wallet(
    name: str, hotkey: str = "default", path: Path = DEFAULT_WALLET_PATH
) -> OpenWallet:
    """Open a wallet that exists.

    Raises KeyFault, with what to do, where it does not, where its hotkey
    is encrypted or where its files cannot be read.
    """
    wallet = _wallet(name, hotkey, path)
    hint = f"wallet {name}/{hotkey} in {path}"
    if not wallet.hotkey_file.exists_on_device():
        raise KeyFault(
            f"there is no {hint}: make one with `quasar miner init`, or name"
            " another with --wallet-name, --wallet-hotkey and --wallet-path"
        )
    if wallet.hotkey_file.is_encrypted():
        raise KeyFault(
            f"the hotkey of {hint} is encrypted; a process that signs by"
            " itself needs one that is not"
        )
    return _opened(wallet, hint)


def create_wallet(
    name: str, hotkey: str = "default", path: Path = DEFAULT_WALLET_PATH
) -> OpenWallet:
    """Open the wallet, and make first whatever of it is missing.

    New keys are not encrypted: for local use. A key that is there is never
    replaced. Raises KeyFault as `open_wallet` does.
    """
    wallet = _wallet(name, hotkey, path)
    try:
        if not wallet.coldkeypub_file.exists_on_device():
            wallet.create_new_coldkey(use_password=False, suppress=True)
        if not wallet.hotkey_file.exists_on_device():
            wallet.create_new_hotkey(use_password=False, suppress=True)
    except OSError as fault:
        raise KeyFault(
            f"wallet {name}/{hotkey} cannot be made in {path}:"
            f" {fault.strerror or fault}"
        ) from fault
    return open_wallet(name, hotkey, path)


def _wallet(name: str, hotkey: str, path: Path) -> Wallet:
    from bittensor import Wallet

    for part in (name, hotkey):
        if not part or "/" in part or part in {".", ".."}:
            raise KeyFault(f"{part!r} is no name of a wallet or a hotkey")
    return Wallet(name, hotkey, str(path.expanduser()))


def _opened(wallet: Wallet, hint: str) -> OpenWallet:
    from bittensor.sp_core import KeyfileError

    try:
        keypair = wallet.hotkey
        coldkey = None
        if wallet.coldkeypub_file.exists_on_device():
            coldkey = canonical_hotkey(wallet.coldkeypub.ss58_address)
    except (KeyfileError, OSError, ValueError) as fault:
        raise KeyFault(f"{hint} cannot be read: {fault}") from fault
    return OpenWallet(
        name=wallet.name,
        hotkey=canonical_hotkey(keypair.ss58_address),
        coldkey=coldkey,
        keypair=keypair,
        wallet=wallet,
    )
