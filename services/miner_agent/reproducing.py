"""Reproducing: the input on which a submission failed, and its row again."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

from quasar_core.client.api import QuasarClient
from quasar_core.contracts.reports import Manifest, Rejection, Source
from quasar_core.errors import QuasarError
from quasar_core.execution.local_source import local_source
from quasar_core.judge.jobs import ReproducedReport, ReproduceSpec
from quasar_core.judge.settings import JudgeSettings
from quasar_core.judge.spawn import reproduce_in_subprocess

from services.miner_agent.validation import OWN_FORK

SHOWN_NUMBERS = 4


class NothingToReproduce(QuasarError):
    """There is no failing input to draw again; the text says why."""


def reproduced(
    client: QuasarClient,
    submission_id: UUID,
    *,
    repo_path: Path | None,
    settings: JudgeSettings,
) -> ReproducedReport:
    """Draw the failing input again and call the kernel with it.

    The kernel is the archived one, or, while its round is not final or to
    try a repair, the one that lies in `repo_path`. Raises
    NothingToReproduce, ApiUnavailable, ProblemAnswer, TransientError.
    """
    view = client.submission(submission_id)
    if view.verdict is None or view.manifest is None:
        raise NothingToReproduce(
            f"{submission_id} is {view.status}: it was not rejected by a run"
        )
    if repo_path is None:
        source = client.source(submission_id)
    else:
        source = local_source(repo_path, None)
    return called_again(
        source, view.verdict.rejection, view.manifest, settings
    )


def called_again(
    source: Source,
    rejection: Rejection,
    manifest: Manifest,
    settings: JudgeSettings,
) -> ReproducedReport:
    """The row that the rejection speaks of, from this source.

    `settings` stand in for a manifest that tells none.
    """
    if "draw" not in rejection.evidence:
        raise NothingToReproduce(
            f"{rejection.code.value} at {rejection.stage.value} names no"
            " failing input: only wrong numbers do"
        )
    if manifest.seed is None:
        raise NothingToReproduce("the run's seed is not told yet")
    if manifest.settings:
        settings = JudgeSettings.from_published(manifest.settings)
    return reproduce_in_subprocess(
        ReproduceSpec(
            run_id=manifest.run_id,
            seed=manifest.seed,
            source=source,
            evidence=rejection.evidence,
            settings=settings,
            sandbox=OWN_FORK,
        )
    )


def is_right(report: ReproducedReport) -> bool:
    """Whether the row is within the bound now."""
    error = report.error
    return isinstance(error, float) and error <= report.bound


def as_dict(report: ReproducedReport) -> dict[str, Any]:
    """For machines."""
    return {**report.model_dump(mode="json"), "right": is_right(report)}


def as_lines(report: ReproducedReport) -> list[str]:
    """For people: the row beside the truth's."""
    row = f"head {report.head}, token {report.token} ({report.family})"
    lines = [
        f"input:  {report.sequence_length} tokens",
        f"sha256: {report.input_sha256}",
        f"row:    {row}",
    ]
    if report.output is None:
        return [*lines, f"the kernel failed: {report.fault}"]
    lines.append(f"{'':7} {'truth':>14} {'kernel':>14}")
    apart = sorted(
        range(len(report.truth)),
        key=lambda place: _apart(report, place),
        reverse=True,
    )
    for place in sorted(apart[:SHOWN_NUMBERS]):
        output = report.output[place]
        told = f"{output:.6g}" if isinstance(output, float) else output
        lines.append(f"  [{place:3}] {report.truth[place]:14.6g} {told:>14}")
    rest = len(report.truth) - SHOWN_NUMBERS
    lines.append(f"  and {rest} more numbers that lie closer")
    error = report.error
    told = f"{error:.3g}" if isinstance(error, float) else str(error)
    lines.append(f"error:  {told}; the bound is {report.bound:.3g}")
    lines.append("right now" if is_right(report) else "still wrong")
    return lines


def _apart(report: ReproducedReport, place: int) -> float:
    output = report.output[place] if report.output else 0.0
    if isinstance(output, str):
        return float("inf")
    return abs(output - report.truth[place])
