"""Weights: from shares by hotkey to the vector that a chain takes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from quasar_core.domain.rewards import normalise

U16_MAX = 65_535

LEAST_SHARE = 1e-9
"""Far below 1 / 65 535, the least that a chain can store."""

BURN = "burn"
"""What stands among the dropped for a burn that nobody can take."""


@dataclass(frozen=True)
class Vector:
    """What to set, and what was left out.

    `shares`: uid -> share, non-negative and summing to 1, or empty with a
    `reason`. `dropped`: hotkey -> why it has none. `capped`: uids whose
    share the subnet's maximum cut.
    """

    shares: Mapping[int, float]
    dropped: Mapping[str, str]
    capped: frozenset[int] = frozenset()
    reason: str = ""


def resolve(
    shares: Mapping[str, float],
    uid_of: Mapping[str, int],
    burn: float = 0.0,
    owner_uid: int | None = None,
    *,
    min_allowed_weights: int = 0,
    max_weight_limit: float = 1.0,
) -> Vector:
    """The vector for a metagraph: a pure function of all that it reads.

    `shares` are a round's rewards by hotkey, `uid_of` the registered
    hotkeys at the block of setting, `burn` the share of `owner_uid`. Who is
    not registered is dropped (never given to uid 0) and the rest grows in
    proportion. Where the subnet's limits leave nothing that could be set,
    the vector is empty and says why. Raises ValueError for shares that are
    negative, above 1 or not finite.
    """
    _check({**shares, "the burn": burn})
    dropped = {
        hotkey: "not registered"
        for hotkey in sorted(shares)
        if hotkey not in uid_of
    }
    parts = _by_uid(shares, uid_of)
    if burn > 0:
        if owner_uid is None:
            dropped[BURN] = "the subnet has no owner"
        else:
            parts[owner_uid] = parts.get(owner_uid, 0.0) + burn
    parts = _normal(parts)
    if not parts:
        return _nothing(dropped, "nobody who has a share is registered")
    reason = _unsettable(len(parts), min_allowed_weights, max_weight_limit)
    if reason is not None:
        return _nothing(dropped, reason)
    fitted, capped = _cap(parts, _fitting(len(parts), max_weight_limit))
    return Vector(
        MappingProxyType(dict(sorted(fitted.items()))),
        MappingProxyType(dropped),
        capped,
    )


def to_u16(shares: Mapping[int, float]) -> dict[int, int]:
    """The shares as the chain stores them: the largest is 65 535.

    Rounded half up; what rounds to nothing is left out. Raises ValueError
    for shares that are negative, above 1 or not finite.
    """
    _check({str(uid): share for uid, share in shares.items()})
    largest = max(shares.values(), default=0.0)
    if largest == 0:
        return {}
    scaled = {
        # Eleven digits take the noise of dividing binary fractions off.
        uid: math.floor(round(share / largest * U16_MAX, 11) + 0.5)
        for uid, share in sorted(shares.items())
    }
    return {uid: value for uid, value in scaled.items() if value > 0}


def _by_uid(
    shares: Mapping[str, float], uid_of: Mapping[str, int]
) -> dict[int, float]:
    parts: dict[int, float] = {}
    for hotkey, share in sorted(shares.items()):
        uid = uid_of.get(hotkey)
        if uid is not None:
            if uid in parts:
                raise ValueError(f"two hotkeys have uid {uid}")
            parts[uid] = share
    return parts


def _normal(parts: Mapping[int, float]) -> dict[int, float]:
    """The parts in proportion, summing to 1, without those next to none."""
    total = math.fsum(parts.values())
    kept = {
        f"{uid:05d}": part
        for uid, part in parts.items()
        if part > LEAST_SHARE * total
    }
    if not kept:
        return {}
    return {int(uid): share for uid, share in normalise(kept).items()}


def _fitting(count: int, limit: float) -> float:
    """The largest share that is within `limit` after rounding to 16 bits.

    The largest weight is stored as 65 535 exactly, each of the others up to
    half a unit too low: all of them together may then be too little for
    the limit, which the chain holds against the stored numbers. Where
    equal weights are all that fits, those are stored alike.
    """
    if limit >= 1:
        return 1.0
    rounded_off = (count - 1) / (2 * U16_MAX)
    return max(1 / count, 1 / (1 / limit + rounded_off))


def _cap(
    shares: Mapping[int, float], limit: float
) -> tuple[dict[int, float], frozenset[int]]:
    """The shares with none above `limit`, and whose were cut.

    The rest takes the surplus in proportion, which may bring the next
    above the limit; so again, until none is. Needs
    `len(shares) * limit >= 1`, but for the noise of division.
    """
    capped: frozenset[int] = frozenset()
    fitted = dict(shares)
    while above := {uid for uid, part in fitted.items() if part > limit}:
        capped |= above
        free = math.fsum(
            part for uid, part in shares.items() if uid not in capped
        )
        room = 1 - limit * len(capped)
        fitted = {
            uid: limit if uid in capped else part / free * room
            for uid, part in shares.items()
        }
    return fitted, capped


def _unsettable(count: int, least: int, limit: float) -> str | None:
    """Why the subnet's limits allow no vector of `count` weights, if so."""
    if count < least:
        return (
            f"{count} weights are fewer than the {least} that the subnet"
            " asks for (min_allowed_weights, which its owner can lower)"
        )
    if count * limit < 1:
        return f"{count} weights of at most {limit} do not sum to 1"
    return None


def _nothing(dropped: Mapping[str, str], reason: str) -> Vector:
    return Vector(
        MappingProxyType({}), MappingProxyType(dict(dropped)), reason=reason
    )


def _check(parts: Mapping[str, float]) -> None:
    for name, part in parts.items():
        if not 0 <= part <= 1 + LEAST_SHARE:
            raise ValueError(f"{part} is no share ({name})")
