"""Waiting for what must come: with an end, and a sentence if it does not."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE_SECONDS = 60.0
"""What a machine with much else to do may take to start a few processes."""


def eventually(
    claim: Callable[[], object],
    what: str = "it",
    seconds: float = PATIENCE_SECONDS,
) -> object:
    """The first true value of `claim()`; AssertionError where none came."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = claim()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"{what} did not happen within {seconds} s")
