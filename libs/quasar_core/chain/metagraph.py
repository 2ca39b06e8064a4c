"""Caches before a chain that may be slow or away, with a rule on staleness.

What was read is handed out while it is fresh; when the chain does not
answer, or not in time, it is still handed out until it is stale; a stale
answer is none.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from quasar_core.chain.cached import PATIENCE_SECONDS, Cached
from quasar_core.chain.chain import Chain, MetagraphSnapshot, Neuron

STALE_BLOCKS = 3
"""Above so many blocks of age, a block height is no longer one."""


class MetagraphCache:
    """Who is registered, read again every `refresh_seconds`."""

    def __init__(
        self,
        chain: Chain,
        refresh_seconds: float = 60.0,
        stale_seconds: float = 600.0,
        *,
        newcomer_seconds: float = 2.0,
        patience_seconds: float = PATIENCE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """An answer that turns a hotkey away is at most so old.

        `newcomer_seconds` lets in at once who has just registered.
        """
        self._newcomer_seconds = newcomer_seconds
        self._cached = Cached(
            chain.metagraph,
            refresh_seconds,
            stale_seconds,
            clock,
            patience_seconds,
        )

    def snapshot(self) -> MetagraphSnapshot:
        """The metagraph; raises ChainUnavailable when it is stale."""
        return self._cached.get()

    def find(self, hotkey: str) -> Neuron | None:
        """The neuron with this canonical hotkey, or None.

        Raises ChainUnavailable when the metagraph is stale.
        """
        neuron = self._cached.get().by_hotkey().get(hotkey)
        if neuron is None:
            fresh = self._cached.get(max_age_seconds=self._newcomer_seconds)
            neuron = fresh.by_hotkey().get(hotkey)
        return neuron

    def at_hand(self, hotkey: str) -> Neuron | None:
        """The neuron, where `find` would not have to ask the chain.

        None says nothing: ask `find`.
        """
        snapshot = self._cached.fresh()
        return None if snapshot is None else snapshot.by_hotkey().get(hotkey)

    def last_block(self) -> int | None:
        """The block of the snapshot read last, or None before the first.

        However old it is: the chain is at least so high.
        """
        snapshot = self._cached.last()
        return None if snapshot is None else snapshot.block

    def age_seconds(self) -> float | None:
        """The age of the snapshot held, or None before the first."""
        return self._cached.age_seconds()


class BlockCache:
    """The chain's height, read at most once per block."""

    def __init__(
        self,
        chain: Chain,
        *,
        patience_seconds: float = PATIENCE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cached = Cached(
            chain.block,
            refresh_seconds=chain.block_seconds / 2,
            stale_seconds=STALE_BLOCKS * chain.block_seconds,
            clock=clock,
            patience_seconds=patience_seconds,
        )

    def block(self) -> int:
        """The height; ChainUnavailable when older than three blocks."""
        return self._cached.get()
