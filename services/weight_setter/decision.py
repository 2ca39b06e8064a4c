"""What to set: from frozen standings and the metagraph to one vector.

Nothing is read and nothing is sent here; who paid nobody, who is gone and
what does not add up is decided on values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import fsum, isclose, isfinite

from quasar_core.chain.chain import MetagraphSnapshot, SubnetRules
from quasar_core.chain.keys import KeyFault, canonical_hotkey
from quasar_core.contracts.http import Standings
from quasar_core.domain import weights
from quasar_core.domain.rounds import RoundStatus
from quasar_core.errors import QuasarError

FROZEN = frozenset({RoundStatus.FINALISED.value, RoundStatus.WEIGHED.value})
_TOLERANCE = 1e-6


class NotTrusted(QuasarError):
    """Standings or a metagraph that no honest source gives out.

    Nothing is set by them.
    """


@dataclass(frozen=True)
class Decision:
    """The shares by uid; or none of them, and why not."""

    round_number: int
    shares: Mapping[int, float] = field(default_factory=dict)
    hotkeys: Mapping[int, str] = field(default_factory=dict)
    dropped: Mapping[str, str] = field(default_factory=dict)
    """hotkey -> why its share went to the others."""
    reason: str = ""


def paid_shares(standings: Standings, round_number: int) -> dict[str, float]:
    """The share of each paid hotkey, canonical; the burn is not in it.

    Raises NotTrusted unless these are that round's, frozen, and add
    up: finite shares that are not negative, one per hotkey, only for paid
    places, and with the burn summing to 1 (or to nothing at all).
    """
    if standings.round_number != round_number:
        raise NotTrusted(
            f"asked for round {round_number}, got {standings.round_number}"
        )
    if not standings.final or standings.status not in FROZEN:
        raise NotTrusted(f"round {round_number} is not final")
    shares: dict[str, float] = {}
    for row in standings.rows:
        if not isfinite(row.share) or row.share < 0:
            raise NotTrusted(f"place {row.place} has share {row.share}")
        if row.share == 0:
            continue
        if row.paid_place is None:
            raise NotTrusted(f"place {row.place} is unpaid and paid")
        hotkey = _canonical(row.hotkey, row.place)
        if hotkey in shares:
            raise NotTrusted(f"hotkey {hotkey} is paid twice")
        shares[hotkey] = row.share
    _check_sum(shares, standings.burn_share)
    return shares


def decide(
    standings: Standings,
    round_number: int,
    metagraph: MetagraphSnapshot,
    rules: SubnetRules,
) -> Decision:
    """What to set for this round by this metagraph.

    Raises NotTrusted for standings that are not to be trusted.
    """
    shares = paid_shares(standings, round_number)
    if not shares and standings.burn_share == 0:
        return Decision(round_number, reason="the round paid nobody")
    try:
        vector = weights.resolve(
            shares,
            _uids(metagraph),
            burn=standings.burn_share,
            owner_uid=metagraph.owner_uid,
            min_allowed_weights=rules.min_allowed_weights,
            max_weight_limit=rules.max_weight_limit,
        )
    except ValueError as fault:
        raise NotTrusted(f"the metagraph makes no sense: {fault}") from fault
    names = {neuron.uid: neuron.hotkey for neuron in metagraph.neurons}
    return Decision(
        round_number,
        shares=vector.shares,
        hotkeys={uid: names[uid] for uid in vector.shares},
        dropped=vector.dropped,
        reason=vector.reason or _remarks(vector, standings, metagraph),
    )


def _uids(metagraph: MetagraphSnapshot) -> dict[str, int]:
    return {neuron.hotkey: neuron.uid for neuron in metagraph.neurons}


def _remarks(
    vector: weights.Vector,
    standings: Standings,
    metagraph: MetagraphSnapshot,
) -> str:
    """What a reader of the vector would wonder about."""
    remarks = []
    if standings.burn_share and metagraph.owner_uid is None:
        remarks.append("the burn has no owner's uid and went to the others")
    if vector.capped:
        uids = ", ".join(str(uid) for uid in sorted(vector.capped))
        remarks.append(f"the subnet's largest weight cut uid {uids}")
    return "; ".join(remarks)


def _canonical(hotkey: str, place: int) -> str:
    try:
        return canonical_hotkey(hotkey)
    except KeyFault as fault:
        raise NotTrusted(f"place {place} has no hotkey") from fault


def _check_sum(shares: Mapping[str, float], burn: float) -> None:
    if not isfinite(burn) or burn < 0:
        raise NotTrusted(f"the burn's share is {burn}")
    total = fsum([*shares.values(), burn])
    if total and not isclose(total, 1.0, abs_tol=_TOLERANCE):
        raise NotTrusted(f"the shares sum to {total:.6g}")
