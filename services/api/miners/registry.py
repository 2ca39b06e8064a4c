"""The registry: who is registered, and how high the chain is."""

from __future__ import annotations

import threading
from collections.abc import Callable

from quasar_core.chain.cached import PATIENCE_SECONDS
from quasar_core.chain.chain import Chain, ChainUnavailable, Neuron
from quasar_core.chain.metagraph import BlockCache, MetagraphCache
from quasar_core.errors import Problem, ProblemCode

from services.api.problems import RETRY_SECONDS


class Registry:
    """The chain as the API needs it, opened at first use.

    An API that starts while the chain is away serves everything that needs
    none, and opens the chain when it is back. One whose chain hangs waits
    `patience_seconds` for each reading, and goes by what it has read before.
    """

    def __init__(
        self,
        open_chain: Callable[[], Chain],
        refresh_seconds: float,
        stale_seconds: float,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._open_chain = open_chain
        self._refresh_seconds = refresh_seconds
        self._stale_seconds = stale_seconds
        self._patience_seconds = patience_seconds
        self._lock = threading.Lock()
        self._caches: tuple[MetagraphCache, BlockCache] | None = None
        self._last_height: int | None = None

    def registered(self, hotkey: str) -> Neuron:
        """The neuron of a hotkey.

        Raises Problem: 403 where there is none, 503 where it cannot be
        known.
        """
        try:
            neuron = self._opened()[0].find(hotkey)
        except ChainUnavailable as fault:
            raise Problem(
                503,
                ProblemCode.METAGRAPH_UNAVAILABLE,
                "who is registered cannot be read from the chain just now",
                headers={"Retry-After": str(RETRY_SECONDS)},
            ) from fault
        if neuron is None:
            raise Problem(
                403,
                ProblemCode.NOT_REGISTERED,
                f"hotkey {hotkey} is not registered on this subnet",
            )
        return neuron

    def at_hand(self, hotkey: str) -> Neuron | None:
        """The neuron, where it is known without a wait; else None.

        Then `registered` knows, which may ask the chain.
        """
        caches = self._caches
        return None if caches is None else caches[0].at_hand(hotkey)

    def height(self) -> int:
        """The chain's block; ChainUnavailable if older than three."""
        self._last_height = self._opened()[1].block()
        return self._last_height

    def known_height(self) -> int:
        """The chain's block; Problem 503 where it is not known just now."""
        try:
            return self.height()
        except ChainUnavailable as fault:
            raise Problem(
                503,
                ProblemCode.CHAIN_UNAVAILABLE,
                "the chain's height cannot be read just now, and the order"
                " of commitments is by block; nothing was stored",
                headers={"Retry-After": str(RETRY_SECONDS)},
            ) from fault

    def last_height(self) -> int | None:
        """The newest block that this process knows of, if any.

        Where the height cannot be read, a metagraph that was tells of one.
        """
        try:
            return self.height()
        except ChainUnavailable:
            known = [self._last_height]
            if self._caches is not None:
                known.append(self._caches[0].last_block())
            return max((one for one in known if one is not None), default=None)

    def _opened(self) -> tuple[MetagraphCache, BlockCache]:
        with self._lock:
            if self._caches is None:
                chain = self._open_chain()
                self._caches = (
                    MetagraphCache(
                        chain,
                        self._refresh_seconds,
                        self._stale_seconds,
                        patience_seconds=self._patience_seconds,
                    ),
                    BlockCache(chain, patience_seconds=self._patience_seconds),
                )
            return self._caches
