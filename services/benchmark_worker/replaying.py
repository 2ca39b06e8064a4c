"""Replaying: a run's record, from a file or from the API, run again."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from pydantic import ValidationError
from quasar_core.contracts.reports import JudgeReport
from quasar_core.errors import QuasarError
from quasar_core.judge.jobs import SandboxChoice
from quasar_core.judge.progress import Listener
from quasar_core.judge.replay import (
    Replayed,
    RunRecord,
    compared,
    spec_of,
)
from quasar_core.judge.settings import JudgeSettings
from quasar_core.judge.spawn import judge_in_subprocess

LARGEST_RECORD = 16 * 1024 * 1024


class NoRecord(QuasarError):
    """There is no run to be run again; the text says why."""


def record_in(path: Path) -> RunRecord:
    """The record that a file holds; raises NoRecord."""
    try:
        if path.stat().st_size > LARGEST_RECORD:
            raise NoRecord(f"{path} is too large for a record")
        return RunRecord.model_validate_json(path.read_bytes())
    except OSError as fault:
        raise NoRecord(f"{path} cannot be read: {fault}") from fault
    except ValidationError as fault:
        raise NoRecord(f"{path} is no record of a run") from fault


def record_at(api_url: str, submission_id: UUID) -> RunRecord:
    """The record of a submission's benchmark, as the API publishes it.

    Raises NoRecord, ApiUnavailable and ProblemAnswer.
    """
    from quasar_core.client.api import QuasarClient

    with QuasarClient(api_url) as client:
        view = client.submission(submission_id)
        if view.manifest is None or view.target_sequence_length is None:
            raise NoRecord(f"{submission_id} has not been judged")
        source = client.source(submission_id)
    return RunRecord(
        target_sequence_length=view.target_sequence_length,
        source=source,
        report=JudgeReport(
            manifest=view.manifest,
            rejection=view.verdict.rejection if view.verdict else None,
            correctness=view.correctness,
            timing=view.timing,
        ),
    )


def replay(
    record: RunRecord,
    *,
    settings: JudgeSettings,
    sandbox: SandboxChoice,
    on_progress: Listener,
) -> Replayed:
    """Run it again and compare; `settings` where the record tells none.

    Raises NotReplayableError, TransientError and SandboxUnavailable.
    """
    spec = spec_of(record, sandbox, settings)
    return compared(record, judge_in_subprocess(spec, on_progress))


def as_lines(replayed: Replayed) -> list[str]:
    """For people."""
    lines = [
        f"run:     {replayed.run_id}",
        f"verdict: {replayed.verdict}",
        f"again:   {replayed.again}",
        *(f"differs: {one}" for one in replayed.differences),
    ]
    if replayed.time_ratio is not None:
        fits = "within" if replayed.same_time else "outside"
        lines.append(
            f"time:    {replayed.time_ratio:.3f} x the first,"
            f" {fits} the tolerance of {replayed.time_tolerance:.0%}"
        )
    if not replayed.same_harness:
        lines.append("note:    this judge's code is not the one of that run")
    same = "the same" if replayed.same_verdict else "ANOTHER"
    lines.append(f"The replay gives {same} verdict.")
    return lines
