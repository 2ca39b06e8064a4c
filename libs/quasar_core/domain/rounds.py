"""Rounds: the settings that one freezes, and how one ends."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from quasar_core.domain.leagues import (
    DEFAULT_LEAGUE_UNIT,
    DEFAULT_MAX_SEQUENCE_LENGTH,
)
from quasar_core.domain.quotas import QuotaSettings
from quasar_core.domain.rewards import Unfilled
from quasar_core.domain.tolerance import (
    DEFAULT_COSINE_SIM_THRESHOLD,
    DEFAULT_MAX_DIFF_THRESHOLD,
)
from quasar_core.domain.workload import Profile

Setting = str | int | float | bool


class RoundStatus(StrEnum):
    """Where a round stands; exactly one is open."""

    OPEN = "open"
    EVALUATING = "evaluating"
    FINALISED = "finalised"
    WEIGHED = "weighed"


@dataclass(frozen=True)
class RoundSettings:
    """What a round freezes when it opens, and shows.

    Lengths are in tokens, times in blocks of the chain (12 s each). Raises
    ValueError for a value that no round could be played with.
    """

    pool: str = "cpu"
    profile: str = Profile.CPU.value
    league_unit: int = DEFAULT_LEAGUE_UNIT
    max_sequence_length: int = DEFAULT_MAX_SEQUENCE_LENGTH
    min_improvement: float = 0.015
    must_beat_baseline: bool = True
    one_paid_per_coldkey: bool = True
    records_only: bool = False
    unfilled: str = Unfilled.RENORMALISE.value
    reenter_paid_places: bool = True
    base_commit: str = ""
    challenges_per_round: int = 16
    challenging_blocks: int = 600
    round_blocks: int = 14_400
    evaluating_blocks: int = 1_800
    blocks_until_reveal: int = 100
    reveal_window: int = 300
    accepts_unsealed: bool = True
    cosine_sim_threshold: float = DEFAULT_COSINE_SIM_THRESHOLD
    max_diff_threshold: float = DEFAULT_MAX_DIFF_THRESHOLD
    waiting_per_league: int = 1
    judged_per_round: int = 12
    unrevealed: int = 2

    def __post_init__(self) -> None:
        Profile(self.profile)
        Unfilled(self.unfilled)
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if not (
                isinstance(value, int | float)
                and math.isfinite(value)
                and value >= least
            ):
                raise ValueError(f"{name} is at least {least}, not {value}")
        if self.reveal_window < self.blocks_until_reveal:
            raise ValueError("reveal_window ends before it opens")
        if self.max_sequence_length < self.league_unit:
            raise ValueError("max_sequence_length is below every league")
        if self.cosine_sim_threshold > 1:
            raise ValueError("cosine_sim_threshold is at most 1")

    @property
    def quotas(self) -> QuotaSettings:
        """The limits that quotas.check reads."""
        return QuotaSettings(
            self.waiting_per_league, self.judged_per_round, self.unrevealed
        )

    def to_dict(self) -> dict[str, Setting]:
        """The settings by name, all of them plain values."""
        return {name: getattr(self, name) for name in _KINDS}

    @classmethod
    def from_dict(cls, settings: Mapping[str, Setting]) -> Self:
        """The settings that `to_dict` gave; what is missing is default.

        Raises ValueError for a name that is none, or a value of another
        type than the setting has.
        """
        values: dict[str, Setting] = {}
        for name, value in settings.items():
            kind = _KINDS.get(name)
            if kind is None:
                raise ValueError(f"no round has a setting {name}")
            if kind is float and type(value) is int:
                # JSON writes 1.0 as 1 in some hands.
                values[name] = float(value)
            elif type(value) is kind:
                values[name] = value
            else:
                raise ValueError(f"{name} is of type {kind.__name__}")
        return cls(**values)  # type: ignore[arg-type] -- each is its kind


_LEAST: Mapping[str, float] = {
    "league_unit": 1,
    "min_improvement": 0,
    "round_blocks": 1,
    "evaluating_blocks": 0,
    "challenges_per_round": 0,
    "challenging_blocks": 0,
    "blocks_until_reveal": 0,
    "cosine_sim_threshold": -1,
    "max_diff_threshold": 0,
    "waiting_per_league": 1,
    "judged_per_round": 1,
    "unrevealed": 0,
}


_DEFAULTS: Mapping[str, Setting] = vars(RoundSettings())
_KINDS: Mapping[str, type[object]] = {
    name: value.__class__ for name, value in _DEFAULTS.items()
}


def next_status(
    status: RoundStatus,
    *,
    block: int,
    closes_at_block: int,
    evaluating_since_block: int | None,
    unfinished: int,
    weighed: bool,
    evaluating_blocks: int = 1_800,
    challenged: int = 0,
    challenging_blocks: int = 600,
) -> RoundStatus:
    """Where a round stands at `block`; the same again if asked again.

    An open round closes at its block. One in evaluation waits for its
    queue to drain, at most `evaluating_blocks` blocks; what is unfinished
    then (queued, benchmarking or verifying) moves to the open round. While
    `challenged` passages wait for their outcome it goes on for at most
    `challenging_blocks` more. It is weighed once a validator has set its
    weights. One step at a time, so that whoever drives it does what belongs
    to each.
    """
    match status:
        case RoundStatus.OPEN:
            closed = block >= closes_at_block
            return RoundStatus.EVALUATING if closed else status
        case RoundStatus.EVALUATING:
            since = (
                closes_at_block
                if evaluating_since_block is None
                else evaluating_since_block
            )
            drained_by = since + evaluating_blocks
            drained = unfinished == 0 or block >= drained_by
            decided = (
                challenged == 0 or block >= drained_by + challenging_blocks
            )
            done = drained and decided
            return RoundStatus.FINALISED if done else status
        case RoundStatus.FINALISED:
            return RoundStatus.WEIGHED if weighed else status
        case _:
            return status
