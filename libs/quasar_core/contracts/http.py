"""What the HTTP interface takes and gives: requests, answers, problems."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from quasar_core.contracts.reports import (
    CorrectnessReport,
    LogitsReport,
    Manifest,
    Rejection,
    Score,
    Timing,
)
from quasar_core.contracts.values import (
    CommitHash,
    Contract,
    Evidence,
    Hotkey,
    Moment,
    PoolName,
    Sha256Hex,
)
from quasar_core.errors import ProblemCode, Stage

MAX_BODY_BYTES = 64 * 1024


class ProblemDetails(Contract):
    """An error, as RFC 9457 `application/problem+json`."""

    type: str
    title: str
    status: int
    code: ProblemCode
    detail: str
    instance: str | None = None
    errors: list[dict[str, str]] | None = None


# --- submissions -----------------------------------------------------------


class SubmissionRequest(Contract):
    """POST /submit_submission.

    The URL, the commit and the length are checked by the rules and not by
    this model, so that each refusal carries its own code. What the miner
    claims (`tokens_per_sec`, `benchmarks`) is stored and shown beside the
    measured value, and never ranked.
    """

    fork_url: Annotated[str, Field(max_length=512)]
    commit_hash: Annotated[str, Field(max_length=128)]
    target_sequence_length: int
    tokens_per_sec: Annotated[float, Field(ge=0, le=1e12)] | None = None
    benchmarks: (
        dict[
            Annotated[str, Field(max_length=64)],
            Annotated[float, Field(ge=0, le=1e12)],
        ]
        | None
    ) = Field(default=None, max_length=32)
    miner_hotkey: str | None = Field(default=None, max_length=64)


class QuotaLeft(Contract):
    """What this coldkey may still send."""

    waiting_in_league: int
    waiting_in_league_limit: int
    judged_this_round: int
    judged_this_round_limit: int


class SubmissionAccepted(Contract):
    """202 (or 200 for a repeat): the submission is in the database."""

    submission_id: UUID
    status: str
    round_number: int
    league: str
    position: int | None
    eta_seconds: float | None
    quota: QuotaLeft


class StageView(Contract):
    """One stage of the live or last attempt."""

    stage: Stage
    seconds: float | None
    detail: Evidence = {}


class Verdict(Contract):
    """Why a submission was rejected: code, sentence and evidence."""

    rejection: Rejection
    sentence: str


class SubmissionView(Contract):
    """GET /submissions/{id}."""

    submission_id: UUID
    hotkey: Hotkey
    fork_url: str
    commit_hash: CommitHash
    target_sequence_length: int
    league: str
    multiplier: float
    round_number: int
    commit_block: int
    status: str
    stage: Stage | None
    stages: tuple[StageView, ...] = ()
    attempts: int
    position: int | None
    eta_seconds: float | None
    claimed_tokens_per_sec: float | None
    score: Score | None
    weighted_score: float | None
    verdict: Verdict | None
    correctness: CorrectnessReport | None
    timing: Timing | None
    logits: LogitsReport | None
    manifest: Manifest | None
    identity: Sha256Hex | None
    tree_hash: Sha256Hex | None
    created_at: Moment
    updated_at: Moment


class SubmissionSummary(Contract):
    """One row of a list of submissions."""

    submission_id: UUID
    hotkey: Hotkey
    status: str
    stage: Stage | None
    code: str | None
    league: str
    target_sequence_length: int
    round_number: int
    tokens_per_sec: float | None
    weighted_score: float | None
    created_at: Moment


class SubmissionPage(Contract):
    """GET /submissions: a page, and the cursor of the next."""

    submissions: tuple[SubmissionSummary, ...]
    next_cursor: str | None


class SubmissionMove(Contract):
    """One row of a submission's history, as server-sent events tell it.

    `kind` is `moved` (from, to), or `stage` (a stage began or was passed).
    """

    sequence: int
    kind: Annotated[str, Field(pattern=r"^(moved|stage)$")]
    from_status: str | None
    to_status: str | None
    stage: Stage | None
    evidence: Evidence
    occurred_at: Moment


class WorkerView(Contract):
    """A worker and when it was last heard of."""

    worker: str
    role: str
    pool: PoolName
    last_seen_at: Moment
    busy: bool


class SubmissionStats(Contract):
    """GET /get_submission_stats."""

    total: int
    by_status: dict[str, int]
    queue_depth: int
    oldest_queued_seconds: float | None
    eta_seconds: float | None
    workers: tuple[WorkerView, ...]
    recent_submissions: tuple[SubmissionSummary, ...]
    top_performers: tuple[LeaderboardRow, ...]


# --- boards and rounds -------------------------------------------------------


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


# --- weights -----------------------------------------------------------------


class WeightsReport(Contract):
    """POST /weights/reports: what a validator set, or why it did not."""

    round_number: int | None
    outcome: Annotated[
        str, Field(pattern=r"^(set|skipped|refused|failed|dry_run)$")
    ]
    reason: Annotated[str, Field(max_length=500)] = ""
    block: int | None = None
    netuid: int
    weights: dict[Annotated[str, Field(pattern=r"^\d{1,5}$")], float] = {}
    """uid -> share; shares are non-negative and sum to 1, or none."""
    hotkeys: dict[Annotated[str, Field(pattern=r"^\d{1,5}$")], Hotkey] = {}
    """uid -> hotkey, as resolved at `block`."""


class WeightsRecord(Contract):
    """A weights report as the API keeps it."""

    validator_hotkey: Hotkey
    reported_at: Moment
    report: WeightsReport


class WeightsHistory(Contract):
    """GET /weights: the newest first."""

    records: tuple[WeightsRecord, ...]


class Accepted(Contract):
    """A write that needs no other answer."""

    accepted: bool = True


# --- health ------------------------------------------------------------------


class Health(Contract):
    """GET /health/live and /health/ready."""

    status: str
    checks: dict[str, str] = {}


SubmissionStats.model_rebuild()
