"""Rewards: what share of the emission each paid place has."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from quasar_core.domain.ladder import Placing

SHARES = (0.60, 0.25, 0.10, 0.05)
"""Of places 1 to 4, counted over the entries that can be paid."""


class Unfilled(StrEnum):
    """What becomes of the shares of places that nobody fills."""

    RENORMALISE = "renormalise"
    BURN = "burn"


@dataclass(frozen=True)
class Rewards:
    """Shares by hotkey and the share that burns; together 1, or none.

    `reason` says why there are none.
    """

    by_hotkey: Mapping[str, float]
    burn: float = 0.0
    reason: str = ""


def shares(
    placings: Iterable[Placing],
    unfilled: Unfilled | str = Unfilled.RENORMALISE,
) -> Rewards:
    """The shares of the paid places.

    With fewer than four filled, the rest is by policy: spread over the
    filled ones in proportion, or burnt. With none filled nothing is set.
    Raises ValueError for an unknown policy.
    """
    policy = Unfilled(unfilled)
    paid = {
        placing.entry.hotkey: SHARES[placing.paid_place - 1]
        for placing in placings
        if placing.paid_place is not None
    }
    if not paid:
        return Rewards(
            MappingProxyType({}), reason="no entry of the round can be paid"
        )
    if policy is Unfilled.BURN:
        # A difference of 1e-17 is four filled places, not a burn.
        burn = round(1 - math.fsum(paid.values()), 12)
        return Rewards(MappingProxyType(paid), burn)
    return Rewards(MappingProxyType(normalise(paid)))


def normalise(parts: Mapping[str, float]) -> dict[str, float]:
    """`parts` in proportion, summing to 1; the largest takes the rounding.

    Raises ValueError where they sum to nothing.
    """
    total = math.fsum(parts.values())
    if not total > 0:
        raise ValueError("nothing to share out")
    normal = {name: part / total for name, part in parts.items()}
    largest = max(sorted(normal), key=lambda name: normal[name])
    rest = math.fsum(part for name, part in normal.items() if name != largest)
    normal[largest] = 1 - rest
    return normal
