"""Whether a hotkey may set weights: what the chain will say, beforehand."""

from __future__ import annotations

from quasar_core.chain.chain import MetagraphSnapshot, Neuron, SubnetRules
from quasar_core.errors import QuasarError


class NoValidator(QuasarError):
    """A hotkey that may not set weights; the text says what it lacks."""


def validator_of(metagraph: MetagraphSnapshot, hotkey: str) -> Neuron:
    """The neuron of a hotkey that may set weights on this subnet.

    `hotkey` is canonical. Raises NoValidator for one that is not
    registered, or that has no validator permit and is not the owner's.
    """
    neuron = metagraph.by_hotkey().get(hotkey)
    if neuron is None:
        raise NoValidator(
            f"not_registered: {hotkey} has no uid on subnet"
            f" {metagraph.netuid}; register it there first"
        )
    if not neuron.validator_permit and neuron.uid != metagraph.owner_uid:
        raise NoValidator(
            f"not_authorized: {hotkey} (uid {neuron.uid}) has no validator"
            f" permit on subnet {metagraph.netuid}: it needs more stake, and"
            " gets one when an epoch begins"
        )
    return neuron


def blocks_to_wait(neuron: Neuron, block: int, rules: SubnetRules) -> int:
    """How many blocks it is until the rate limit lets it set weights."""
    if neuron.last_update is None:
        return 0
    return max(0, neuron.last_update + rules.weights_rate_limit - block)
