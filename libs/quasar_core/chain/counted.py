"""CountedChain: a chain whose every call is counted by how it ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from quasar_core.chain.chain import (
    Chain,
    ChainUnavailable,
    Epoch,
    MetagraphSnapshot,
    SetResult,
    SubnetRules,
)
from quasar_core.telemetry.metrics import CHAIN_CALLS

T = TypeVar("T")

ANSWERED = "answered"
UNAVAILABLE = "unavailable"


def counted(call: str, question: Callable[[], T]) -> T:
    """Ask, and count `call` as answered, or as unavailable where it raises.

    What sets weights is counted by its own outcome. Whatever else is raised
    is an error of ours, and counted where those are.
    """
    try:
        answer = question()
    except ChainUnavailable:
        CHAIN_CALLS.labels(call, UNAVAILABLE).inc()
        raise
    outcome = ANSWERED
    if isinstance(answer, SetResult):
        outcome = answer.outcome.value
    CHAIN_CALLS.labels(call, outcome).inc()
    return answer


class CountedChain:
    """Another chain, asked the same, in `quasar_chain_calls`."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self.netuid = chain.netuid
        self.block_seconds = chain.block_seconds

    def block(self) -> int:
        """The current block's number."""
        return counted("block", self._chain.block)

    def metagraph(self) -> MetagraphSnapshot:
        """Who is registered now."""
        return counted("metagraph", self._chain.metagraph)

    def rules(self) -> SubnetRules:
        """The subnet's settings."""
        return counted("rules", self._chain.rules)

    def epoch(self) -> Epoch:
        """When weights that are set now begin to count."""
        return counted("epoch", self._chain.epoch)

    def set_weights(
        self, weights: Mapping[int, float], hotkey: str
    ) -> SetResult:
        """Set `uid -> share` for the validator with this hotkey."""
        return counted(
            "set_weights", lambda: self._chain.set_weights(weights, hotkey)
        )

    def weights_of(self, hotkey: str) -> Mapping[int, float]:
        """The weights that stand on chain for this validator."""
        return counted("weights_of", lambda: self._chain.weights_of(hotkey))
