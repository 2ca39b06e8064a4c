"""The roster: the demo's miners with their keys, forks and submissions."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from quasar_core.chain.local import LocalChain
from quasar_core.chain.signatures import sign
from quasar_core.chain.wallets import OpenWallet, create_wallet
from quasar_core.client.api import ProblemAnswer, QuasarClient
from quasar_core.contracts.http import SubmissionRequest
from quasar_core.errors import ProblemCode

from deploy.local.identities import register
from deploy.local.miners.forks import Fork, make_fork
from deploy.local.miners.kinds import Kind

POLL_SECONDS = 0.05
NEWCOMER_SECONDS = 6.0


@dataclass(frozen=True)
class Miner:
    """A miner who is registered and has a fork to send in."""

    kind: Kind
    wallet: OpenWallet
    fork: Fork
    sequence_length: int


@dataclass(frozen=True)
class Sent:
    """A submission that the API has taken."""

    miner: Miner
    submission_id: UUID


def enlist(
    kinds: Iterable[Kind],
    *,
    chain: LocalChain,
    wallets: Path,
    forks: Path,
    league_unit: int,
) -> tuple[Miner, ...]:
    """Give every kind a wallet, a registration and a repository."""
    miners = []
    for kind in kinds:
        wallet = create_wallet(f"miner-{kind.name}", "default", wallets)
        register(chain, wallet)
        miners.append(
            Miner(
                kind=kind,
                wallet=wallet,
                fork=make_fork(forks / kind.name, kind),
                sequence_length=kind.leagues * league_unit,
            )
        )
    return tuple(miners)


def send(miner: Miner, api_url: str, receiver: str) -> Sent:
    """Sign this miner's submission and post it, as any miner does.

    The API looks at the chain every few seconds: one who registered a
    moment ago is patient for that long. Raises what the client raises
    where the API refuses him all the same.
    """
    keypair = miner.wallet.keypair
    request = SubmissionRequest(
        fork_url=miner.fork.url,
        commit_hash=miner.fork.commit_hash,
        target_sequence_length=miner.sequence_length,
    )
    deadline = time.monotonic() + NEWCOMER_SECONDS
    with QuasarClient(
        api_url,
        sign=lambda method, path, body: sign(
            keypair, method, path, body, receiver
        ),
    ) as client:
        while True:
            try:
                accepted = client.submit(request)
            except ProblemAnswer as problem:
                unknown = problem.code is ProblemCode.NOT_REGISTERED
                if not unknown or time.monotonic() > deadline:
                    raise
                time.sleep(POLL_SECONDS)
            else:
                return Sent(miner, accepted.submission_id)


def await_next_block(chain: LocalChain) -> int:
    """Wait until the chain is a block further; the block it is then."""
    start = chain.block()
    while (block := chain.block()) <= start:
        time.sleep(POLL_SECONDS)
    return block
