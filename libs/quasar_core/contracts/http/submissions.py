"""Submissions: what a miner sends, and what anyone may see of it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from quasar_core.contracts.http.boards import LeaderboardRow
from quasar_core.contracts.http.sealed import CommitmentView, QuotaLeft
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
from quasar_core.errors import Stage

FURTHEST_POSITION = 1_001
"""Nobody further back in the queue is counted."""

QueuePosition = Annotated[
    int | None,
    Field(
        description=(
            "1 is next; 1001 stands for every place behind a thousand"
            " others; null where nothing waits."
        )
    ),
]


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


class SubmissionAccepted(Contract):
    """202 (or 200 for a repeat): the submission is in the database.

    `league` is None for one that was withdrawn before it was revealed.
    """

    submission_id: UUID
    status: str
    round_number: int
    league: str | None
    position: QueuePosition
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
    """GET /submissions/{id}.

    What a commitment seals (fork, commit, length and with it the league)
    is None until it is revealed: the API does not know it either. `quota`
    is told to its owner alone.
    """

    submission_id: UUID
    hotkey: Hotkey
    commitment: CommitmentView | None = None
    fork_url: str | None
    commit_hash: CommitHash | None
    target_sequence_length: int | None
    league: str | None
    multiplier: float | None
    round_number: int
    commit_block: int
    status: str
    stage: Stage | None
    stages: tuple[StageView, ...] = ()
    attempts: int
    position: QueuePosition
    eta_seconds: float | None
    quota: QuotaLeft | None = None
    claimed_tokens_per_sec: float | None
    claimed_benchmarks: dict[str, float] | None = None
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
    commitment_hash: Sha256Hex | None = None
    league: str | None
    target_sequence_length: int | None
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
