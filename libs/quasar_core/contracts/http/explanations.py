"""Explanations: why a miner stands where he stands, factor by factor."""

from __future__ import annotations

from uuid import UUID

from quasar_core.contracts.http.boards import StandingsRow
from quasar_core.contracts.http.challenges import ExplainedChallenge
from quasar_core.contracts.values import Contract, Hotkey


class Neighbour(Contract):
    """Who stands next to the miner, and by how much.

    `ahead_by` is the neighbour's weighted score over the miner's, less 1:
    negative for one who is slower. `score_to_pass` is what has to be
    exceeded to pass him (above), or what he has to exceed (below).
    """

    place: int
    submission_id: UUID
    hotkey: Hotkey
    weighted_score: float
    ahead_by: float
    score_to_pass: float


class LevelFounder(Contract):
    """Whose level an entry is in; only the founder can be paid."""

    submission_id: UUID
    hotkey: Hotkey
    commit_block: int
    weighted_score: float | None
    is_me: bool
    same_code: bool
    """Whether its code is the same as the miner's, whatever its layout."""


class ShareFactors(Contract):
    """How a share comes about: the place's own, and what was unfilled."""

    paid_place: int | None
    place_share: float
    """Of a paid place, while all four are filled; else 0."""
    filled_places: int
    unfilled_policy: str
    burn_share: float
    share: float


class ExplainedSubmission(Contract):
    """One of the miner's submissions, and why it counts or does not."""

    submission_id: UUID
    status: str
    league: str
    target_sequence_length: int
    commit_block: int
    tokens_per_sec: float | None
    tokens_per_sec_low: float | None
    tokens_per_sec_high: float | None
    multiplier: float
    weighted_score: float | None
    speedup_vs_baseline: float | None
    is_rerun: bool
    counted: bool
    reason: str
    sentence: str


class Explanation(Contract):
    """GET /rounds/{n}/explain/{hotkey}: every factor of place and share."""

    round_number: int
    round_status: str
    final: bool
    """False: this is how it would end if the round ended now."""
    hotkey: Hotkey
    ranked: int
    """How many miners have a place."""
    min_improvement: float
    must_beat_baseline: bool
    one_paid_per_coldkey: bool
    records_only: bool
    entry: StandingsRow | None
    """The miner's place; None where nothing of his counts."""
    founder: LevelFounder | None
    above: Neighbour | None
    below: Neighbour | None
    share: ShareFactors
    unpaid_reason: str | None
    unpaid_sentence: str | None
    paid_instead: UUID | None
    """The submission of the same coldkey that has its paid place."""
    submissions: tuple[ExplainedSubmission, ...]
    """The newest of the round, at most 200."""
    challenges: tuple[ExplainedChallenge, ...] = ()
    """The newest in which one of his was run once more, at most 200."""
