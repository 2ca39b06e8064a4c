"""What the chain checks before it takes a validator's weights."""

from __future__ import annotations

from collections.abc import Mapping
from math import isclose, isfinite

from quasar_core.chain.chain import SetOutcome, SetResult
from quasar_core.chain.local_state import Genesis, LocalState, NeuronRow
from quasar_core.domain.weights import to_u16

_SUM_TOLERANCE = 1e-6


def refusal(
    state: LocalState, block: int, weights: Mapping[int, float], hotkey: str
) -> SetResult | None:
    """Why this vector is refused at this block, or None if it is taken.

    `hotkey` is canonical. Asked in the chain's own order: registration,
    permit, the vector's shape, the subnet's limits, the rate.
    """
    neuron = state.neuron(hotkey)
    if neuron is None:
        return _refused("not_registered: this hotkey has no uid")
    reason = (
        _permit_fault(state, neuron)
        or _shape_fault(state, weights)
        or _limit_fault(state.genesis, weights, neuron)
    )
    if reason:
        return _refused(reason)
    last = state.last_set(hotkey)
    limit = state.genesis.weights_rate_limit
    if last is not None and block - last < limit:
        return SetResult(
            SetOutcome.RATE_LIMITED,
            reason=(
                f"rate_limited: weights were set {block - last} blocks ago,"
                f" the limit is {limit}"
            ),
        )
    return None


def _refused(reason: str) -> SetResult:
    return SetResult(SetOutcome.REFUSED, reason=reason)


def _permit_fault(state: LocalState, neuron: NeuronRow) -> str:
    owner = state.genesis.owner_hotkey
    if neuron.validator_permit or neuron.hotkey == owner:
        return ""
    return "not_authorized: this hotkey has no validator permit"


def _shape_fault(state: LocalState, weights: Mapping[int, float]) -> str:
    shares = list(weights.values())
    if not all(isfinite(share) and share >= 0 for share in shares):
        return "invalid_argument: shares must be finite and not negative"
    if not isclose(sum(shares), 1.0, abs_tol=_SUM_TOLERANCE):
        return "invalid_argument: shares must sum to 1"
    unknown = sorted(set(weights) - {row.uid for row in state.neurons})
    if unknown:
        return f"invalid_argument: no such uid: {unknown[0]}"
    return ""


def _limit_fault(
    genesis: Genesis, weights: Mapping[int, float], neuron: NeuronRow
) -> str:
    quantised = to_u16(weights)
    values = quantised.values()
    if set(quantised) == {neuron.uid}:
        return ""
    if len(values) < genesis.min_allowed_weights:
        return (
            f"invalid_argument: the subnet wants at least"
            f" {genesis.min_allowed_weights} weights, these are {len(values)}"
        )
    if max(values) / sum(values) > genesis.max_weight_limit + _SUM_TOLERANCE:
        return (
            f"limit_exceeded: the largest weight is above"
            f" {genesis.max_weight_limit:g} of the sum"
        )
    return ""
