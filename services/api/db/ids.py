"""Identifiers that sort by the time at which they were made: UUIDv7."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from uuid import UUID

FRACTION_BITS = 12


class Stamps:
    """Times in 1/4096 of a millisecond, each greater than the last."""

    def __init__(self, clock_ns: Callable[[], int] = time.time_ns) -> None:
        self._clock_ns = clock_ns
        self._lock = threading.Lock()
        self._last = 0

    def next(self) -> int:
        """Now, or just after the last one where the clock stands still."""
        now = (self._clock_ns() << FRACTION_BITS) // 1_000_000
        with self._lock:
            self._last = max(now, self._last + 1)
            return self._last


_stamps = Stamps()


def new_id(stamps: Stamps = _stamps) -> UUID:
    """A UUIDv7 (RFC 9562): later ones of this process are greater.

    48 bits of milliseconds, 12 bits of their fraction, 62 random bits.
    """
    milliseconds, fraction = divmod(stamps.next(), 1 << FRACTION_BITS)
    value = (milliseconds & ((1 << 48) - 1)) << 80
    value |= 0x7 << 76
    value |= fraction << 64
    value |= 0b10 << 62
    value |= secrets.randbits(62)
    return UUID(int=value)
