"""Parts: what somebody may be on a subnet."""

from __future__ import annotations

from enum import StrEnum


class Part(StrEnum):
    """Which part somebody wants to take."""

    MINER = "miner"
    VALIDATOR = "validator"
    OWNER = "owner"
