"""The states of an attempt: what became of it."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """What became of an attempt."""

    DISPATCHED = "dispatched"
    STARTED = "started"
    COMPLETED = "completed"
    REJECTED = "rejected"
    FAILED = "failed"
    HARMED = "harmed"
    """Failed, and its worker came to harm."""
    LOST = "lost"
    UNDELIVERED = "undelivered"
    FORGIVEN = "forgiven"
    """Failed or lost before an administrator queued its submission again."""


LIVE = (State.DISPATCHED, State.STARTED)
SPENT = (State.FAILED, State.HARMED, State.LOST)
"""A worker had it: it counts towards the three."""

HARMFUL = (State.HARMED, State.LOST)
"""Its worker came to harm, or went silent: see `harm.py`."""
