"""What a benchmark worker does about a job: its story, and its baseline."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from quasar_core.contracts.events import (
    BaselineMeasured,
    BenchmarkRequested,
    ChallengeRequested,
)
from quasar_core.contracts.reports import ChallengeReport, JudgeReport, Source
from quasar_core.errors import Stage
from quasar_core.worker.attempt import Attempt

Fetch = Callable[[str, str], Source]
"""`fetch(fork_url, commit_hash)`; SubmissionFault or TransientError."""


class Judge(Protocol):
    """The two-process judge, told apart from whoever listens to it."""

    def __call__(
        self, job: BenchmarkRequested, source: Source, attempt: Attempt
    ) -> JudgeReport:
        """Judge the source, moving the attempt on stage by stage."""
        ...


def benchmark_submission(
    job: BenchmarkRequested,
    attempt: Attempt,
    *,
    prepare: Callable[[BenchmarkRequested], None],
    fetch: Fetch,
    judge: Judge,
) -> None:
    """Fetch what is judged, judge it, and tell the verdict.

    `prepare` measures the trusted baseline before a round's first job.
    Raises SubmissionFault for a fork that cannot be used, TransientError
    where the world is at fault.
    """
    prepare(job)
    source = job.source or fetch_source(job, attempt, fetch)
    report = judge(job, source, attempt)
    if report.rejection is not None:
        attempt.rejected(report.rejection, report.manifest)
    else:
        attempt.completed(report)


def run_challenge(
    job: ChallengeRequested,
    attempt: Attempt,
    *,
    prepare: Callable[[ChallengeRequested], None],
    judge: Callable[[ChallengeRequested, Attempt], ChallengeReport],
) -> None:
    """Run two archived sources once more, in turns, and tell their times.

    Raises TransientError where the world is at fault.
    """
    prepare(job)
    attempt.challenged(judge(job, attempt))


def fetch_source(
    job: BenchmarkRequested, attempt: Attempt, fetch: Fetch
) -> Source:
    """The files of the commit, handed in for the archive."""
    attempt.stage = Stage.FETCH
    started = time.monotonic()
    source = fetch(job.fork_url, job.commit_hash)
    attempt.fetched(source)
    attempt.passed(Stage.FETCH, time.monotonic() - started)
    return source


class Baselines:
    """Measures the trusted kernel before this process's first job of a round.

    `measure(round_number, sequence_length)` runs it and gives the event;
    `deliver` hands that in.
    """

    def __init__(
        self,
        measure: Callable[[int, int], BaselineMeasured],
        deliver: Callable[[BaselineMeasured], None],
    ) -> None:
        self._measure = measure
        self._deliver = deliver
        self._round_number: int | None = None

    def prepare(self, job: BenchmarkRequested | ChallengeRequested) -> None:
        """Measure, unless this round's baseline is known already."""
        if job.round_number == self._round_number:
            return
        length = (
            job.sequence_length
            if isinstance(job, BenchmarkRequested)
            else job.challenger.sequence_length
        )
        self._deliver(self._measure(job.round_number, length))
        self._round_number = job.round_number
