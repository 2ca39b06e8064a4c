"""Results: stages, sources, timings and logits, as they move submissions.

A report that does not fit its job raises ReportRefused before anything of it
is written; `service.py` answers that in one place, with another attempt.
"""

from __future__ import annotations

from quasar_core.contracts.events import (
    BenchmarkCompleted,
    SourceFetched,
    StageCompleted,
    SubmissionRejected,
    VerificationCompleted,
)
from quasar_core.contracts.reports import (
    Manifest,
    Rejection,
    Score,
    Timing,
)
from quasar_core.domain.identity import identity
from quasar_core.domain.leagues import League, weighted_score
from quasar_core.domain.sources import tree_hash
from quasar_core.domain.submissions import Status
from quasar_core.errors import Stage
from quasar_core.telemetry.logs import get_logger
from quasar_core.telemetry.metrics import (
    JUDGE_OVERHEAD_SECONDS,
    STAGE_SECONDS,
    VERDICTS,
    WORST_COSINE_SIM,
    WORST_MAX_DIFF,
)

from services.api.attempts.endings import finish
from services.api.attempts.repository import Job, State
from services.api.db import sources
from services.api.recording.facts import (
    Scene,
    check_judge,
    settle_judge,
)
from services.api.recording.repository import add_stage
from services.api.recording.verdicts import (
    ReportRefused,
    check_drift,
    correctness_fault,
    is_impossible,
    logits_fault,
    score_of,
)
from services.api.submissions.moves import archive

log = get_logger("api.recorder")


def stage_passed(scene: Scene, event: StageCompleted) -> None:
    """A stage was passed, in so many seconds."""
    first = add_stage(
        scene.session,
        scene.attempt.id,
        event.stage,
        event.seconds,
        event.detail,
        scene.now,
    )
    if not first:
        return
    STAGE_SECONDS.labels(event.stage.value).observe(event.seconds)
    if scene.live:
        scene.submission.stage = event.stage
        scene.submission.updated_at = scene.now
    scene.tell_stage(
        event.stage,
        {**event.detail, "state": "passed", "seconds": event.seconds},
    )


def source_fetched(scene: Scene, event: SourceFetched) -> None:
    """Archive the files; what was archived first is what is judged."""
    source = event.source
    files = {file.name: file.text.encode() for file in source.files}
    if tree_hash(files) != source.tree_hash:
        raise ReportRefused("the source does not have the hash it came with")
    if identity(files) != source.identity:
        raise ReportRefused("the source is not the code it says it is")
    if scene.submission.tree_hash is None:
        sources.archive(scene.session, source, scene.now)
        archive(
            scene.session,
            scene.submission,
            identity=source.identity,
            tree_hash=source.tree_hash,
            now=scene.now,
        )
        scene.tell_stage(
            Stage.FETCH,
            {
                "state": "archived",
                "identity": source.identity,
                "tree_hash": source.tree_hash,
            },
        )


def benchmarked(scene: Scene, event: BenchmarkCompleted) -> None:
    """The kernel is right and timed: on to its logits."""
    if scene.job is not Job.BENCHMARK:
        raise ReportRefused("a benchmark's result for another job")
    check_judge(scene, event.manifest)
    score = score_of(event.timing, scene.submission.target_sequence_length)
    check_drift(event.timing, scene.settings)
    fault = correctness_fault(event.correctness, scene.settings)
    settle_judge(scene, event.manifest)
    scene.submission.manifest = event.manifest.model_dump(mode="json")
    scene.submission.correctness = event.correctness.model_dump(mode="json")
    if fault is not None:
        _reject(scene, fault)
        return
    scene.submission.timing = event.timing.model_dump(mode="json")
    if scene.attempt.worker is not None:
        JUDGE_OVERHEAD_SECONDS.labels(scene.attempt.worker).set(
            event.timing.overhead
        )
    finish(scene.attempt, State.COMPLETED, scene.now)
    _score(scene, score)


def _score(scene: Scene, score: Score) -> None:
    row = scene.submission
    league = League(row.league, 0, row.multiplier)
    row.tokens_per_sec = score.tokens_per_sec
    row.tokens_per_sec_low = score.tokens_per_sec_low
    row.tokens_per_sec_high = score.tokens_per_sec_high
    row.speedup_vs_baseline = score.speedup_vs_baseline
    row.weighted_score = weighted_score(score.tokens_per_sec, league)
    row.not_before = None
    scene.move(
        Status.VERIFYING,
        {
            **score.model_dump(mode="json"),
            "weighted_score": row.weighted_score,
            "identity": row.identity,
            "tree_hash": row.tree_hash,
            "run_id": (row.manifest or {}).get("run_id", ""),
        },
    )


def verified(scene: Scene, event: VerificationCompleted) -> None:
    """The logits are in: the submission is scored, or rejected."""
    if scene.job is not Job.VERIFICATION:
        raise ReportRefused("a verification's result for another job")
    check_judge(scene, event.manifest)
    scene.submission.logits = event.logits.model_dump(mode="json")
    worst_cosine = min(p.worst_cosine_sim for p in event.logits.prompts)
    worst_diff = max(p.worst_max_diff for p in event.logits.prompts)
    WORST_COSINE_SIM.set(worst_cosine)
    WORST_MAX_DIFF.set(worst_diff)
    fault = logits_fault(event.logits, scene.settings)
    if fault is not None:
        _reject(scene, fault)
        return
    finish(scene.attempt, State.COMPLETED, scene.now)
    VERDICTS.labels("passed").inc()
    aside = _is_impossible(scene)
    tell = log.error if aside else log.info
    tell(
        "submission.impossible" if aside else "submission.scored",
        submission_id=str(scene.submission.id),
        tokens_per_sec=scene.submission.tokens_per_sec,
        weighted_score=scene.submission.weighted_score,
    )
    scene.move(
        Status.QUARANTINED if aside else Status.SCORED,
        {
            "worst_cosine_sim": worst_cosine,
            "worst_max_diff": worst_diff,
            "run_id": event.manifest.run_id,
            "weighted_score": scene.submission.weighted_score,
        },
    )


def _is_impossible(scene: Scene) -> bool:
    """Whether the times that it is ranked by are below physics."""
    row = scene.submission
    if row.timing is None or row.manifest is None:
        return False
    return is_impossible(
        Timing.model_validate(row.timing),
        Manifest.model_validate(row.manifest),
    )


def rejected(scene: Scene, event: SubmissionRejected) -> None:
    """The submission is at fault; final."""
    if event.manifest is not None:
        check_judge(scene, event.manifest)
        if scene.job is Job.BENCHMARK:
            scene.submission.manifest = event.manifest.model_dump(mode="json")
    if event.logits is not None:
        scene.submission.logits = event.logits.model_dump(mode="json")
    _reject(scene, event.rejection)


def _reject(scene: Scene, rejection: Rejection) -> None:
    row = scene.submission
    row.code = rejection.code
    row.rejection = rejection.model_dump(mode="json")
    finish(scene.attempt, State.REJECTED, scene.now, rejection.code.value)
    VERDICTS.labels(rejection.code.value).inc()
    log.info(
        "submission.rejected",
        submission_id=str(row.id),
        code=rejection.code.value,
        stage=Stage(rejection.stage).value,
    )
    scene.move(
        Status.REJECTED,
        {
            **rejection.evidence,
            "code": rejection.code.value,
            "stage": rejection.stage.value,
            "detail": rejection.detail,
        },
    )
