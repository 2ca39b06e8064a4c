"""What a miner does to take part: become somebody, hand in a commit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from quasar_core.chain.chain import ChainUnavailable
from quasar_core.chain.local import LocalChain
from quasar_core.chain.open import local_path
from quasar_core.chain.signatures import RequestSigner
from quasar_core.chain.wallets import OpenWallet, create_wallet, open_wallet
from quasar_core.client.api import QuasarClient
from quasar_core.contracts.http import (
    RoundView,
    SubmissionAccepted,
    SubmissionRequest,
)
from quasar_core.errors import QuasarError

from services.miner_agent.repository import (
    Fork,
    create_base_repository,
    open_fork,
)
from services.miner_agent.settings import MinerSettings


class NotSent(QuasarError):
    """What was asked for would be refused; it was not sent."""


@dataclass(frozen=True)
class Joined:
    """Who the miner is now, and where his repository lies."""

    hotkey: str
    coldkey: str | None
    repo_path: Path
    commit_hash: str
    uid: int | None
    warnings: tuple[str, ...]


def join(settings: MinerSettings, repo_path: Path) -> Joined:
    """Make the wallet and the base repository, register where possible.

    What is there already is kept: doing it again mends what is missing.
    """
    wallet = create_wallet(
        settings.wallet_name, settings.wallet_hotkey, settings.wallet_path
    )
    if (repo_path / ".git").exists():
        fork = open_fork(repo_path)
        commit_hash, warnings = fork.commit_hash, fork.warnings
    else:
        commit_hash, warnings = create_base_repository(repo_path), ()
    uid, missing = _register(settings, wallet)
    return Joined(
        hotkey=wallet.hotkey,
        coldkey=wallet.coldkey,
        repo_path=repo_path,
        commit_hash=commit_hash,
        uid=uid,
        warnings=(*warnings, *missing),
    )


@contextmanager
def signed_client(
    settings: MinerSettings,
) -> Iterator[tuple[QuasarClient, str]]:
    """A client that signs with the miner's wallet, and its hotkey."""
    wallet = open_wallet(
        settings.wallet_name, settings.wallet_hotkey, settings.wallet_path
    )
    signer = RequestSigner(wallet.keypair, settings.receiver_hotkey)
    with QuasarClient(
        settings.api_url,
        signer,
        on_round=lambda current: signer.learn(current.receiver_hotkey),
    ) as client:
        client.current_round()
        yield client, wallet.hotkey


def submit(
    client: QuasarClient,
    fork: Fork,
    fork_url: str,
    sequence_length: int,
    tokens_per_sec: float | None = None,
) -> SubmissionAccepted:
    """Hand in the fork's commit for this length.

    Raises NotSent for a length that this round does not judge.
    """
    check_length(client.current_round(), sequence_length)
    request = SubmissionRequest(
        fork_url=fork_url,
        commit_hash=fork.commit_hash,
        target_sequence_length=sequence_length,
        tokens_per_sec=tokens_per_sec,
    )
    return client.submit(request)


def fork_url_of(settings: MinerSettings, fork: Fork) -> str:
    """The address under which the judge can read a fork on this machine.

    Raises NotSent where the competition is not played on this machine.
    """
    if local_path(settings.chain_url) is None:
        raise NotSent(
            "the judge reads your fork over the network: push it, and name"
            " its public address with --fork-url https://..."
        )
    return f"file://{fork.path.resolve()}"


def check_length(current: RoundView, sequence_length: int) -> None:
    """Raise NotSent for a length below the leagues or above the bound."""
    smallest = min(league.smallest_length for league in current.leagues)
    largest = current.settings.get("max_sequence_length")
    if sequence_length < smallest:
        raise NotSent(
            f"{sequence_length} tokens are below the smallest league of"
            f" round {current.round_number}, which begins at {smallest}"
        )
    if isinstance(largest, int) and sequence_length > largest:
        raise NotSent(
            f"{sequence_length} tokens are more than the {largest} that"
            f" round {current.round_number} judges"
        )


def _register(
    settings: MinerSettings, wallet: OpenWallet
) -> tuple[int | None, tuple[str, ...]]:
    path = local_path(settings.chain_url)
    if path is None:
        hint = (
            f"register the hotkey on subnet {settings.netuid} of"
            f" {settings.chain_url} yourself: btcli subnets register"
            f" --netuid {settings.netuid} --network {settings.chain_url}"
        )
        return None, (hint,)
    try:
        chain = LocalChain(path, netuid=settings.netuid)
        # a wallet without its coldkey's address stands for itself
        uid = chain.register(wallet.hotkey, wallet.coldkey or wallet.hotkey)
    except ChainUnavailable as fault:
        hint = f"not registered: {fault}; then run this command again"
        return None, (hint,)
    return uid, ()
