"""Answers of the API as values, for tests of what is shown of them."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from quasar_core.contracts.http import (
    LeaderboardRow,
    RoundView,
    StandingsRow,
    SubmissionStats,
    SubmissionSummary,
    SubmissionView,
    Verdict,
)
from quasar_core.contracts.reports import Rejection, Score
from quasar_core.errors import REJECTION_SENTENCES, RejectionCode, Stage

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def hotkey_of(number: int) -> str:
    """An address-shaped text, one per number."""
    letter = "ABCDEFGHJKLMNPQRSTUVWXYZ"[number]
    return "5" + letter * 47


def id_of(number: int) -> UUID:
    """A submission's id, one per number."""
    return UUID(int=number + 1)


def submission_view(
    number: int, status: str, code: RejectionCode | None = None
) -> SubmissionView:
    """A submission that ended with `status`, rejected if there is a code."""
    verdict = None
    if code is not None:
        verdict = Verdict(
            rejection=Rejection(
                code=code, stage=Stage.CORRECTNESS, detail="row 7 is off"
            ),
            sentence=REJECTION_SENTENCES[code],
        )
    score = None
    if status == "scored":
        score = Score(
            tokens_per_sec=1_000.0,
            tokens_per_sec_low=900.0,
            tokens_per_sec_high=1_100.0,
            speedup_vs_baseline=1.0,
        )
    return SubmissionView(
        submission_id=id_of(number),
        hotkey=hotkey_of(number),
        fork_url="file:///forks/one",
        commit_hash="a" * 40,
        target_sequence_length=1_024,
        league="200k",
        multiplier=0.75,
        round_number=1,
        commit_block=5,
        status=status,
        stage=None,
        attempts=1,
        position=None,
        eta_seconds=None,
        claimed_tokens_per_sec=None,
        score=score,
        weighted_score=750.0 if score else None,
        verdict=verdict,
        correctness=None,
        timing=None,
        logits=None,
        manifest=None,
        identity=None,
        tree_hash=None,
        created_at=NOW,
        updated_at=NOW,
    )


def leaderboard_row(place: int, number: int) -> LeaderboardRow:
    """That miner's row of the overall board."""
    return LeaderboardRow(
        place=place,
        submission_id=id_of(number),
        hotkey=hotkey_of(number),
        league="200k",
        multiplier=0.75,
        target_sequence_length=1_024,
        tokens_per_sec=1_000.0,
        tokens_per_sec_low=900.0,
        tokens_per_sec_high=1_100.0,
        weighted_score=750.0,
        speedup_vs_baseline=1.25,
        claimed_tokens_per_sec=None,
        commit_block=5,
        run_id="run-1",
    )


def standings_row(
    place: int, number: int, share: float, unpaid_reason: str | None = None
) -> StandingsRow:
    """That miner's row of the frozen standings."""
    return StandingsRow(
        place=place,
        level=place,
        submission_id=id_of(number),
        hotkey=hotkey_of(number),
        coldkey=hotkey_of(number),
        league="200k",
        target_sequence_length=1_024,
        tokens_per_sec=1_000.0,
        weighted_score=750.0,
        speedup_vs_baseline=1.25,
        commit_block=5,
        paid_place=place if share else None,
        share=share,
        unpaid_reason=unpaid_reason,
    )


def summary_row(
    number: int,
    status: str,
    *,
    stage: Stage | None = None,
    code: str | None = None,
    tokens_per_sec: float | None = None,
) -> SubmissionSummary:
    """A submission as the statistics list it."""
    return SubmissionSummary(
        submission_id=id_of(number),
        hotkey=hotkey_of(number),
        status=status,
        stage=stage,
        code=code,
        league="200k",
        target_sequence_length=1_024,
        round_number=1,
        tokens_per_sec=tokens_per_sec,
        weighted_score=None,
        created_at=NOW,
    )


def stats_of(*rows: SubmissionSummary) -> SubmissionStats:
    """Statistics that list these submissions and nothing else."""
    return SubmissionStats(
        total=len(rows),
        by_status={},
        queue_depth=2,
        oldest_queued_seconds=None,
        eta_seconds=None,
        workers=(),
        recent_submissions=rows,
        top_performers=(),
    )


def round_view(status: str = "open") -> RoundView:
    """Round 1, which closes at block 900."""
    return RoundView(
        round_number=1,
        status=status,
        pool="cpu",
        opened_at_block=0,
        closes_at_block=900,
        current_block=17,
        netuid=24,
        receiver_hotkey=hotkey_of(20),
        base_commit=None,
        harness_digest=None,
        settings={},
        leagues=(),
        baselines=(),
        latest_finalised_round=None,
    )
