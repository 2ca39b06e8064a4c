"""The chain as its callers see it: blocks, neurons, weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Protocol

from quasar_core.errors import TransientError


class ChainUnavailable(TransientError):
    """The chain cannot be read or reached just now."""


@dataclass(frozen=True)
class Neuron:
    """A registered hotkey; `hotkey` and `coldkey` have ss58 prefix 42."""

    uid: int
    hotkey: str
    coldkey: str
    validator_permit: bool = False
    stake: float = 0.0
    last_update: int | None = None
    """The block at which it last set or committed weights, if it ever did."""


@dataclass(frozen=True)
class MetagraphSnapshot:
    """Who is registered, at which block."""

    netuid: int
    block: int
    neurons: tuple[Neuron, ...]
    owner_uid: int | None = None

    def by_hotkey(self) -> Mapping[str, Neuron]:
        """The neurons by canonical hotkey."""
        return self._by_hotkey

    @cached_property
    def _by_hotkey(self) -> Mapping[str, Neuron]:
        return {neuron.hotkey: neuron for neuron in self.neurons}


@dataclass(frozen=True)
class Epoch:
    """Where the subnet is between two epochs; None: the chain tells none."""

    block: int
    tempo: int
    next_start: int | None

    @property
    def blocks_left(self) -> int | None:
        """How many blocks it is until the next epoch starts."""
        if self.next_start is None:
            return None
        return max(0, self.next_start - self.block)


@dataclass(frozen=True)
class SubnetRules:
    """The subnet's own settings that bind whoever sets weights."""

    tempo: int
    weights_rate_limit: int
    min_allowed_weights: int
    max_weight_limit: float
    commit_reveal: bool
    version_key: int = 0


class SetOutcome(StrEnum):
    """What became of an attempt to set weights."""

    SET = "set"
    RATE_LIMITED = "rate_limited"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True)
class SetResult:
    """The outcome of setting weights, with the block or the reason."""

    outcome: SetOutcome
    block: int | None = None
    reason: str = ""


class Chain(Protocol):
    """A Bittensor chain, or the file-backed stand-in for one.

    Every method raises ChainUnavailable where the chain cannot answer.
    """

    netuid: int
    block_seconds: float

    def block(self) -> int:
        """The current block's number."""
        ...

    def metagraph(self) -> MetagraphSnapshot:
        """Who is registered now."""
        ...

    def rules(self) -> SubnetRules:
        """The subnet's settings."""
        ...

    def epoch(self) -> Epoch:
        """When weights that are set now begin to count."""
        ...

    def set_weights(
        self, weights: Mapping[int, float], hotkey: str
    ) -> SetResult:
        """Set `uid -> share` for the validator with this hotkey.

        Shares are finite, non-negative and sum to 1.
        """
        ...

    def weights_of(self, hotkey: str) -> Mapping[int, float]:
        """The weights that stand on chain for this validator."""
        ...
