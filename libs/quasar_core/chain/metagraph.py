"""Caches before a chain that may be slow or away, with a rule on staleness.

What was read is handed out while it is fresh; when the chain does not
answer, it is still handed out until it is stale; a stale answer is none.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from quasar_core.chain.chain import (
    Chain,
    ChainUnavailable,
    MetagraphSnapshot,
    Neuron,
)

T = TypeVar("T")

RETRY_SECONDS = 5.0
"""How long a chain that did not answer is left alone."""

STALE_BLOCKS = 3
"""Above so many blocks of age, a block height is no longer one."""


@dataclass(frozen=True)
class _Reading(Generic[T]):
    value: T
    read_at: float


class _Cached(Generic[T]):
    """One value that is read again when it has aged; for many threads.

    Nobody waits for another thread's reading while there is a value that
    is not stale.
    """

    def __init__(
        self,
        read: Callable[[], T],
        refresh_seconds: float,
        stale_seconds: float,
        clock: Callable[[], float],
    ) -> None:
        self._read = read
        self._refresh_seconds = refresh_seconds
        self._stale_seconds = stale_seconds
        self._clock = clock
        self._reading: _Reading[T] | None = None
        self._failed: tuple[float, ChainUnavailable] | None = None
        self._lock = threading.Lock()

    def age_seconds(self) -> float | None:
        """The age of what is held, or None if nothing is."""
        reading = self._reading
        return None if reading is None else self._clock() - reading.read_at

    def fresh(self) -> T | None:
        """The value, where it need not be read again; waits for nobody."""
        held = self._held(self._refresh_seconds)
        return None if held is None else held.value

    def get(self, max_age_seconds: float | None = None) -> T:
        """The value, at most so old if the chain answers.

        Raises ChainUnavailable if it does not and the value is stale.
        """
        wanted = self._refresh_seconds
        if max_age_seconds is not None:
            wanted = min(wanted, max_age_seconds)
        held = self._held(wanted)
        if held is not None:
            return held.value
        usable = self._held(self._stale_seconds)
        if usable is None:
            self._lock.acquire()
        elif not self._lock.acquire(blocking=False):
            return usable.value
        try:
            return self._refreshed(wanted)
        finally:
            self._lock.release()

    def _held(self, max_age: float) -> _Reading[T] | None:
        reading = self._reading
        if reading is None or self._clock() - reading.read_at > max_age:
            return None
        return reading

    def _refreshed(self, wanted: float) -> T:
        held = self._held(wanted)  # another thread may have been faster
        if held is not None:
            return held.value
        now = self._clock()
        failure = self._failed
        if failure is None or now - failure[0] >= RETRY_SECONDS:
            try:
                value = self._read()
            except ChainUnavailable as fault:
                failure = self._failed = (self._clock(), fault)
            else:
                self._reading, self._failed = _Reading(value, now), None
                return value
        usable = self._held(self._stale_seconds)
        if usable is None:
            raise ChainUnavailable(str(failure[1])) from failure[1]
        return usable.value


class MetagraphCache:
    """Who is registered, read again every `refresh_seconds`."""

    def __init__(
        self,
        chain: Chain,
        refresh_seconds: float = 60.0,
        stale_seconds: float = 600.0,
        *,
        newcomer_seconds: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """An answer that turns a hotkey away is at most so old.

        `newcomer_seconds` lets in at once who has just registered.
        """
        self._newcomer_seconds = newcomer_seconds
        self._cached = _Cached(
            chain.metagraph, refresh_seconds, stale_seconds, clock
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

    def age_seconds(self) -> float | None:
        """The age of the snapshot held, or None before the first."""
        return self._cached.age_seconds()


class BlockCache:
    """The chain's height, read at most once per block."""

    def __init__(
        self,
        chain: Chain,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cached = _Cached(
            chain.block,
            refresh_seconds=chain.block_seconds / 2,
            stale_seconds=STALE_BLOCKS * chain.block_seconds,
            clock=clock,
        )

    def block(self) -> int:
        """The height; ChainUnavailable when older than three blocks."""
        return self._cached.get()
