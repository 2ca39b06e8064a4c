"""Boards, rounds and standings."""

from __future__ import annotations

from uuid import UUID

from quasar_core.contracts.values import (
    CommitHash,
    Contract,
    Hotkey,
    Moment,
    PoolName,
    Sha256Hex,
)


class LeaderboardRow(Contract):
    """A ranked entry: measured values, and the claim beside them."""

    place: int
    submission_id: UUID
    hotkey: Hotkey
    league: str
    multiplier: float
    target_sequence_length: int
    tokens_per_sec: float
    tokens_per_sec_low: float
    tokens_per_sec_high: float
    weighted_score: float
    speedup_vs_baseline: float
    claimed_tokens_per_sec: float | None
    commit_block: int
    run_id: str


class Leaderboard(Contract):
    """GET /leaderboard: overall (weighted), or one league's (plain)."""

    round_number: int
    round_status: str
    pool: PoolName
    league_unit: int
    league: str | None
    rows: tuple[LeaderboardRow, ...]
    next_cursor: str | None = None
    """Where the next page begins, if there is one."""


class LeagueView(Contract):
    """A league of the round."""

    name: str
    smallest_length: int
    multiplier: float


class BaselineView(Contract):
    """The trusted kernel's speed on one worker, at one length."""

    worker: str
    sequence_length: int
    tokens_per_sec: float
    measured_at: Moment
    environment: dict[str, str] = {}
    """The machine, its versions, and the settings of its judge."""


class RoundView(Contract):
    """GET /rounds/current, /rounds/{n}: all that a verdict depends on."""

    round_number: int
    status: str
    pool: PoolName
    opened_at_block: int
    closes_at_block: int
    current_block: int | None
    netuid: int
    receiver_hotkey: Hotkey
    """Whom signed requests are addressed to."""
    base_commit: CommitHash | None
    harness_digest: Sha256Hex | None
    settings: dict[str, str | int | float | bool]
    """The round's frozen settings: tolerances, limits, quotas, policies."""
    leagues: tuple[LeagueView, ...]
    baselines: tuple[BaselineView, ...]
    latest_finalised_round: int | None
    """The round whose standings decide the weights now, if any."""


class StandingsRow(Contract):
    """An entry of the frozen standings: its place, level and share."""

    place: int
    level: int
    submission_id: UUID
    hotkey: Hotkey
    coldkey: str
    league: str
    target_sequence_length: int
    tokens_per_sec: float
    weighted_score: float
    speedup_vs_baseline: float
    commit_block: int
    paid_place: int | None
    share: float
    unpaid_reason: str | None
    founded_by: UUID | None = None
    """The submission that founded the level, where that is known."""


class Standings(Contract):
    """GET /rounds/{n}/standings."""

    round_number: int
    status: str
    final: bool
    log_hash: Sha256Hex | None
    """The newest sealed block of the event log at the freeze."""
    rows: tuple[StandingsRow, ...]
    burn_share: float = 0.0
    """What goes to the owner's uid where the policy is `burn`."""
