"""The one supervising loop: output caps, a deadline, and the exit."""

from __future__ import annotations

import os
import selectors
import time
from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

CHUNK_BYTES = 256 * 1024
DRAIN_SECONDS = 1.0


class Stop(StrEnum):
    """Why the loop stopped watching."""

    EXITED = "exited"
    DEADLINE = "deadline"
    OVERFLOW = "overflow"
    ASKED = "asked"


class Sink(Protocol):
    """Where the bytes of one pipe go."""

    def feed(self, chunk: bytes) -> bool:
        """Take a chunk; False when it is one too many."""
        ...


class HeadAndTail:
    """Keeps the first and the last bytes of a stream of any length."""

    def __init__(self, keep_bytes: int, most_bytes: int) -> None:
        self._half = max(1, keep_bytes // 2)
        self._most = most_bytes
        self._head = bytearray()
        self._tail = bytearray()
        self.total = 0

    def feed(self, chunk: bytes) -> bool:
        """Take a chunk; False once more came than may be drained."""
        self.total += len(chunk)
        room = self._half - len(self._head)
        self._head += chunk[:room]
        rest = chunk[room:]
        self._tail = (self._tail + rest[-self._half :])[-self._half :]
        return self.total <= self._most

    @property
    def value(self) -> bytes:
        """Head, a line that says how much is left out, and tail."""
        left_out = self.total - len(self._head) - len(self._tail)
        if not left_out:
            return bytes(self._head + self._tail)
        note = f"\n[... {left_out} bytes left out ...]\n".encode()
        return bytes(self._head) + note + bytes(self._tail)


class Whole:
    """Keeps a short stream whole, and allows no more than that."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._value = bytearray()

    def feed(self, chunk: bytes) -> bool:
        """Take a chunk; False once more came than is allowed."""
        self._value += chunk
        return len(self._value) <= self._most

    @property
    def value(self) -> bytes:
        """Everything that came."""
        return bytes(self._value)


def supervise(
    process_descriptor: int,
    sinks: Mapping[int, Sink],
    *,
    deadline: float,
    wake_descriptor: int | None = None,
) -> Stop:
    """Feed the sinks until the process ends, or must be ended.

    `process_descriptor` is a pidfd; `deadline` is on the monotonic clock;
    a byte on `wake_descriptor` asks to stop. Ends nothing itself.
    """
    with selectors.DefaultSelector() as selector:
        selector.register(process_descriptor, selectors.EVENT_READ)
        if wake_descriptor is not None:
            selector.register(wake_descriptor, selectors.EVENT_READ)
        for descriptor, sink in sinks.items():
            os.set_blocking(descriptor, False)
            selector.register(descriptor, selectors.EVENT_READ, sink)
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                return Stop.DEADLINE
            ready = {key.fd: key.data for key, _ in selector.select(left)}
            if wake_descriptor in ready:
                return Stop.ASKED
            if process_descriptor in ready:
                return Stop.EXITED
            for descriptor, sink in ready.items():
                if not _feed_once(selector, descriptor, sink):
                    return Stop.OVERFLOW


def drain(sinks: Mapping[int, Sink], seconds: float = DRAIN_SECONDS) -> bool:
    """Take what is left in the pipes of a process that has ended.

    False where a sink was given more than it takes.
    """
    fits = True
    deadline = time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        for descriptor, sink in sinks.items():
            selector.register(descriptor, selectors.EVENT_READ, sink)
        while selector.get_map():
            left = deadline - time.monotonic()
            ready = selector.select(max(left, 0))
            if left <= 0 or not ready:
                return fits
            for key, _ in ready:
                if not _feed_once(selector, key.fd, key.data):
                    selector.unregister(key.fd)
                    fits = False
    return fits


def _feed_once(
    selector: selectors.BaseSelector, descriptor: int, sink: Sink
) -> bool:
    try:
        chunk = os.read(descriptor, CHUNK_BYTES)
    except BlockingIOError:
        return True
    if not chunk:
        selector.unregister(descriptor)
        return True
    return sink.feed(chunk)
