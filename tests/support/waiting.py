"""Waiting for what must come: with an end, and a sentence if it does not."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE_SECONDS = 60.0
"""What a machine with much else to do may take to start a few processes."""
POLL_SECONDS = 0.02

T = TypeVar("T")


def eventually(
    claim: Callable[[], T | None],
    what: str = "it",
    seconds: float = PATIENCE_SECONDS,
) -> T:
    """The first true value of `claim()`; AssertionError where none came."""
    deadline = time.monotonic() + seconds
    while True:
        value = claim()
        if value:
            return value
        late = time.monotonic() >= deadline
        assert not late, f"waited {seconds} s in vain: {what}"
        time.sleep(POLL_SECONDS)
