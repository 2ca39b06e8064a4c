"""Views: submissions as the interface shows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from quasar_core.contracts.http import (
    CommitmentView,
    QuotaLeft,
    StageView,
    SubmissionMove,
    SubmissionSummary,
    SubmissionView,
    Verdict,
)
from quasar_core.contracts.reports import Rejection, Score
from quasar_core.domain.rounds import RoundSettings
from quasar_core.domain.submissions import Status
from quasar_core.errors import REJECTION_SENTENCES, Stage
from sqlalchemy.orm import Session

from services.api.db.models import Attempt, PassedStage, Submission
from services.api.db.records import LogRow
from services.api.rounds import repository as rounds
from services.api.submissions import allowance, repository


def whole(
    session: Session,
    row: Submission,
    *,
    position: int | None,
    eta_seconds: float | None,
    for_owner: bool = False,
) -> SubmissionView:
    """All that is known of a submission.

    The log tail, and what is left of the quota, are its owner's alone.
    """
    attempts = repository.attempts_of(session, row.id)
    return SubmissionView.model_validate(
        {
            "submission_id": row.id,
            "hotkey": row.hotkey,
            "commitment": commitment(row),
            # what is sealed is empty here, and nothing outside
            "fork_url": row.fork_url or None,
            "commit_hash": row.commit_hash or None,
            "target_sequence_length": row.target_sequence_length or None,
            "league": row.league or None,
            "multiplier": row.multiplier or None,
            "round_number": row.round_number,
            "commit_block": row.commit_block,
            "status": row.status,
            "stage": row.stage,
            "stages": _stages(session, attempts),
            "attempts": len(attempts),
            "position": position,
            "eta_seconds": eta_seconds,
            "quota": _quota(session, row) if for_owner else None,
            "claimed_tokens_per_sec": row.claimed_tokens_per_sec,
            "claimed_benchmarks": row.claimed_benchmarks,
            "score": score(row),
            "weighted_score": row.weighted_score,
            "verdict": verdict(row, for_owner=for_owner),
            "correctness": row.correctness,
            "timing": row.timing,
            "logits": row.logits,
            "manifest": _manifest(session, row),
            "identity": row.identity,
            "tree_hash": row.tree_hash,
            "created_at": row.created_at,
            "updated_at": row.updated_at,
        }
    )


def commitment(row: Submission) -> CommitmentView | None:
    """How a submission was sealed, if it was; the salt once it is open."""
    if row.commitment_hash is None:
        return None
    return CommitmentView.model_validate(
        {
            "commitment_hash": row.commitment_hash,
            "reveal_from_block": row.reveal_from_block,
            "reveal_until_block": row.reveal_until_block,
            "salt": row.salt,
        }
    )


def _quota(session: Session, row: Submission) -> QuotaLeft | None:
    current = rounds.open_round(session)
    if current is None:
        return None
    league = row.league or None
    use = allowance.use_of(session, allowance.account_of(row), league, current)
    return allowance.told(
        RoundSettings.from_dict(current.settings), use, league
    )


def _manifest(session: Session, row: Submission) -> dict[str, Any] | None:
    """The run's manifest; its seed with a rejection, or the round's end."""
    if row.manifest is None or row.status == Status.REJECTED:
        return row.manifest
    of_round = rounds.by_number(session, row.round_number)
    final = of_round is not None and of_round.status in rounds.FROZEN
    return row.manifest if final else {**row.manifest, "seed": None}


def _stages(session: Session, attempts: Sequence[Attempt]) -> list[StageView]:
    """Each stage as the newest attempt that passed it did."""
    order: dict[UUID, int] = {a.id: n for n, a in enumerate(attempts)}
    passed = repository.stages_of(session, list(order))
    newest: dict[str, PassedStage] = {}
    for stage in sorted(passed, key=lambda row: order[row.attempt_id]):
        newest[stage.stage] = stage
    return [
        StageView(
            stage=name,
            seconds=newest[name].seconds,
            detail=newest[name].detail,
        )
        for name in Stage
        if name in newest
    ]


def score(row: Submission) -> Score | None:
    """The score as it was derived, if there is one."""
    if row.tokens_per_sec is None:
        return None
    return Score.model_validate(
        {
            "tokens_per_sec": row.tokens_per_sec,
            "tokens_per_sec_low": row.tokens_per_sec_low,
            "tokens_per_sec_high": row.tokens_per_sec_high,
            "speedup_vs_baseline": row.speedup_vs_baseline,
        }
    )


def verdict(row: Submission, *, for_owner: bool) -> Verdict | None:
    """Why the submission was rejected, if it was."""
    if row.status != Status.REJECTED or row.rejection is None:
        return None
    rejection = Rejection.model_validate(row.rejection)
    if not for_owner:
        rejection = rejection.model_copy(update={"log_tail": ""})
    return Verdict(
        rejection=rejection, sentence=REJECTION_SENTENCES[rejection.code]
    )


def summaries(rows: Iterable[Submission]) -> tuple[SubmissionSummary, ...]:
    """Submissions as rows of a list."""
    return tuple(
        SubmissionSummary(
            submission_id=row.id,
            hotkey=row.hotkey,
            status=row.status,
            stage=Stage(row.stage) if row.stage else None,
            code=row.code if row.status == Status.REJECTED else None,
            commitment_hash=row.commitment_hash,
            league=row.league or None,
            target_sequence_length=row.target_sequence_length or None,
            round_number=row.round_number,
            tokens_per_sec=row.tokens_per_sec,
            weighted_score=row.weighted_score,
            created_at=row.created_at,
        )
        for row in rows
    )


def told(row: LogRow) -> SubmissionMove:
    """A row of the log as the stream of events tells it.

    Only an administrator's reason is for everybody: in old rows, that of an
    attempt which came to nothing holds an exception's words.
    """
    evidence = row.evidence
    if row.kind == "moved" and not row.actor.startswith("admin:"):
        evidence = {k: v for k, v in evidence.items() if k != "reason"}
    return SubmissionMove(
        sequence=row.sequence,
        kind="stage" if row.kind == "stage" else "moved",
        from_status=row.from_status,
        to_status=row.to_status,
        stage=Stage(row.stage) if row.stage else None,
        evidence=evidence,
        occurred_at=row.occurred_at,
    )
