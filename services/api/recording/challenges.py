"""Challenges as workers report them: the bounds are derived here again."""

from __future__ import annotations

from quasar_core.contracts.events import ChallengeCompleted
from quasar_core.contracts.reports import ChallengeReport, ChallengeSide
from quasar_core.domain.outcomes import (
    Outcome,
    Ratio,
    Side,
    outcome_of,
    ratio_of,
)
from quasar_core.domain.workload import judged_length
from quasar_core.telemetry.logs import get_logger

from services.api.attempts.endings import finish
from services.api.attempts.states import State
from services.api.challenges import repository
from services.api.db.models import Challenge, Submission
from services.api.recording.facts import Scene, check_judge
from services.api.recording.verdicts import ReportRefused
from services.api.submissions import repository as submissions

log = get_logger("api.recorder")


def decided(scene: Scene, event: ChallengeCompleted) -> None:
    """Both were run once more: the samples say whether one may pass.

    Raises ReportRefused for a report that does not fit its job.
    """
    report = event.report
    check_judge(scene, report.manifest)
    assert scene.attempt.challenge_id is not None  # noqa: S101 -- its job
    row = repository.locked(scene.session, scene.attempt.challenge_id)
    outcome, ratio = _outcome(scene, row, report)
    finish(scene.attempt, State.COMPLETED, scene.now)
    row.report = report.model_dump(mode="json")
    repository.decide(
        scene.session,
        row,
        outcome,
        actor=scene.actor,
        now=scene.now,
        ratio=ratio,
        evidence=_evidence(report),
    )
    log.info(
        "challenge.decided",
        challenge_id=str(row.id),
        outcome=outcome.value,
        ratio_low=row.ratio_low,
        ratio_high=row.ratio_high,
    )


def _outcome(
    scene: Scene, row: Challenge, report: ChallengeReport
) -> tuple[Outcome, Ratio | None]:
    if report.timing is None:
        return _by_fault(report), None
    defender = submissions.by_id(scene.session, row.defender_id)
    assert defender is not None  # noqa: S101 -- a foreign key says so
    try:
        ratio = ratio_of(
            _side(report.timing.challenger, scene.submission),
            _side(report.timing.defender, defender),
        )
    except ValueError as fault:
        raise ReportRefused(f"no outcome comes of it: {fault}") from fault
    return outcome_of(ratio, scene.settings.min_improvement), ratio


def _by_fault(report: ChallengeReport) -> Outcome:
    """Who fails where both were right before has not defended his place."""
    assert report.fault is not None  # noqa: S101 -- the contract says so
    if report.fault.side == "defender":
        return Outcome.WON
    return Outcome.UNDECIDED


def _side(side: ChallengeSide, row: Submission) -> Side:
    length = judged_length(row.target_sequence_length)
    if side.sequence_length != length:
        raise ReportRefused(
            f"timed at {side.sequence_length} tokens, asked for {length}"
        )
    return Side(
        samples=side.samples,
        back_to_back=side.back_to_back,
        rest=side.rest,
        sequence_length=length,
        multiplier=row.multiplier,
    )


def _evidence(report: ChallengeReport) -> dict[str, str]:
    told = {"run_id": report.manifest.run_id}
    if report.fault is not None:
        told["fault_of"] = report.fault.side
        told["code"] = report.fault.rejection.code.value
    return told
