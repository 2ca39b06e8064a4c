"""Replay: a run that is run again, and whether it ends the same way."""

from __future__ import annotations

from statistics import median

from pydantic import BaseModel, ConfigDict, Field

from quasar_core.contracts.reports import JudgeReport, Source, Timing
from quasar_core.domain.workload import Profile
from quasar_core.errors import QuasarError
from quasar_core.judge.harness import harness_digest
from quasar_core.judge.jobs import JudgeSpec, SandboxChoice
from quasar_core.judge.settings import JudgeSettings

TIME_TOLERANCES = {Profile.CPU.value: 0.5, Profile.GPU.value: 0.03}
"""How far two runs' times may lie apart, relative to the first."""

SHOWN = ("family", "head", "token", "sequence_length", "file", "line", "rule")
"""Evidence that a replay must repeat, where the first run has it."""


class NotReplayableError(QuasarError):
    """The record lacks what a run is made of; the text says what."""


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RunRecord(_Message):
    """A run with all that it was made of: it can be run again from this."""

    target_sequence_length: int = Field(gt=0)
    source: Source
    report: JudgeReport


class Replayed(_Message):
    """How the second run compares with the first.

    `time_ratio` is the second time over the first; None where one of the
    runs was not timed.
    """

    run_id: str
    verdict: str
    again: str
    same_verdict: bool
    differences: tuple[str, ...]
    time_ratio: float | None
    time_tolerance: float
    same_time: bool | None
    same_harness: bool


def spec_of(
    record: RunRecord,
    sandbox: SandboxChoice,
    fallback: JudgeSettings | None = None,
) -> JudgeSpec:
    """The job that runs a record's run again: seed, id, settings, source.

    `fallback` are the settings for a manifest that tells none. Raises
    NotReplayableError.
    """
    manifest = record.report.manifest
    if manifest.settings:
        try:
            settings = JudgeSettings.from_published(manifest.settings)
        except ValueError as error:
            raise NotReplayableError(
                "the manifest's settings are those of another judge"
            ) from error
    elif fallback is not None:
        settings = fallback
    else:
        raise NotReplayableError("the manifest tells no settings")
    if manifest.seed is None:
        raise NotReplayableError("the seed is told once the round is final")
    if record.source.tree_hash != manifest.environment.get("tree_hash"):
        raise NotReplayableError("these files are not those that were run")
    return JudgeSpec(
        run_id=manifest.run_id,
        seed=manifest.seed,
        source=record.source,
        target_sequence_length=record.target_sequence_length,
        settings=settings,
        sandbox=sandbox,
    )


def compared(record: RunRecord, again: JudgeReport) -> Replayed:
    """Hold the second run against the first."""
    first = record.report
    tolerance = TIME_TOLERANCES.get(first.manifest.profile, 0.5)
    ratio = _ratio(first.timing, again.timing)
    differences = tuple(_differences(first, again))
    return Replayed(
        run_id=first.manifest.run_id,
        verdict=verdict(first),
        again=verdict(again),
        same_verdict=verdict(first) == verdict(again) and not differences,
        differences=differences,
        time_ratio=ratio,
        time_tolerance=tolerance,
        same_time=None if ratio is None else abs(ratio - 1) <= tolerance,
        same_harness=first.manifest.harness_digest == harness_digest(),
    )


def verdict(report: JudgeReport) -> str:
    """A verdict in a few words."""
    if report.rejection is None:
        return "accepted"
    rejection = report.rejection
    return f"{rejection.code.value} at {rejection.stage.value}"


def _differences(first: JudgeReport, again: JudgeReport) -> list[str]:
    if first.rejection is None or again.rejection is None:
        return []
    old, new = first.rejection.evidence, again.rejection.evidence
    return [
        f"{name}: {old[name]!r}, then {new.get(name)!r}"
        for name in SHOWN
        if name in old and old[name] != new.get(name)
    ]


def _ratio(first: Timing | None, again: Timing | None) -> float | None:
    if first is None or again is None:
        return None
    return median(again.samples) / median(first.samples)
