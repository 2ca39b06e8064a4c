"""open_chain: from a chain's address to the chain behind it."""

from __future__ import annotations

from pathlib import Path

from quasar_core.chain.chain import Chain
from quasar_core.chain.counted import CountedChain, counted
from quasar_core.chain.local import LocalChain
from quasar_core.chain.subtensor import BLOCK_SECONDS, SubtensorChain
from quasar_core.chain.wallets import OpenWallet
from quasar_core.errors import QuasarError

LOCAL_SCHEME = "local://"
NETWORKS = frozenset({"finney", "test", "archive", "local"})


class ChainUrlFault(QuasarError):
    """The address names no chain; the text says what would."""


def local_path(url: str) -> Path | None:
    """The file of a `local://PATH` chain, or None for any other chain."""
    if not url.startswith(LOCAL_SCHEME):
        return None
    path = url.removeprefix(LOCAL_SCHEME)
    if not path:
        raise ChainUrlFault(
            f"{url} names no file: write local:///absolute/path/chain.json"
        )
    return Path(path).expanduser()


def open_chain(
    url: str,
    netuid: int,
    *,
    wallet: OpenWallet | None = None,
    block_seconds: float = BLOCK_SECONDS,
) -> Chain:
    """The chain at `url`: `local://PATH`, a network's name, or ws(s)://.

    Its calls are counted, and so is the opening of it. `wallet` is needed
    to set weights on a real chain; its blocks last `block_seconds`. Raises
    ChainUrlFault for any other address, ChainUnavailable where a local
    chain's file is missing, damaged or another subnet's.
    """
    return CountedChain(
        counted("open", lambda: _chain_at(url, netuid, wallet, block_seconds))
    )


def _chain_at(
    url: str, netuid: int, wallet: OpenWallet | None, block_seconds: float
) -> Chain:
    path = local_path(url)
    if path is not None:
        return LocalChain(path, netuid=netuid)
    if url in NETWORKS or url.startswith(("ws://", "wss://")):
        return SubtensorChain(
            url, netuid, wallet=wallet, block_seconds=block_seconds
        )
    raise ChainUrlFault(
        f"{url!r} is no chain: give local:///absolute/path/chain.json, one of"
        f" {', '.join(sorted(NETWORKS))}, or a ws:// or wss:// address"
    )
