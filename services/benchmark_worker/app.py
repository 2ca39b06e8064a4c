"""The benchmark worker, joined: settings, host, fetcher and judge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from quasar_core.contracts.events import (
    BaselineMeasured,
    BenchmarkRequested,
    CanaryVerdict,
    ChallengeRequested,
)
from quasar_core.contracts.reports import ChallengeReport, JudgeReport, Source
from quasar_core.domain.canaries import Canary
from quasar_core.domain.workload import Profile
from quasar_core.errors import Stage
from quasar_core.execution.fetch import Fetcher, FetchLimits
from quasar_core.execution.sandbox import Sandbox
from quasar_core.judge.jobs import (
    BaselineSpec,
    ChallengeSpec,
    JudgeSpec,
)
from quasar_core.judge.progress import unheard
from quasar_core.judge.spawn import (
    challenge_in_subprocess,
    judge_in_subprocess,
    measure_baseline_in_subprocess,
)
from quasar_core.worker.attempt import Attempt, new_id
from quasar_core.worker.canaries import Examine
from quasar_core.worker.canary_sources import canary_source
from quasar_core.worker.gpu import watch_gpu
from quasar_core.worker.host import Host, run_process
from quasar_core.worker.quarantine import Quarantine
from quasar_core.worker.referee import sandbox_choice

from services.benchmark_worker.handlers import (
    Baselines,
    Fetch,
    Judge,
    benchmark_submission,
    run_challenge,
)
from services.benchmark_worker.settings import Settings


def make_fetcher(settings: Settings, sandbox: Sandbox) -> Fetcher:
    """The fetcher of forks, as far as the settings allow it to go."""
    return Fetcher(
        sandbox,
        FetchLimits(
            allowed_schemes=settings.git_schemes,
            allowed_hosts=settings.git_hosts,
            seconds=settings.fetch_seconds,
        ),
    )


def judge_job(
    job: BenchmarkRequested,
    source: Source,
    attempt: Attempt,
    *,
    settings: Settings,
    quarantine: Quarantine,
) -> JudgeReport:
    """Judge in a process of its own; the run is called as the attempt."""
    spec = JudgeSpec(
        run_id=str(job.attempt_id),
        seed=attempt.seed,
        source=source,
        target_sequence_length=job.sequence_length,
        settings=settings.judge,
        sandbox=sandbox_choice(settings),
    )
    with quarantine.minding():
        return judge_in_subprocess(spec, attempt.follow)


def challenge_job(
    job: ChallengeRequested,
    attempt: Attempt,
    *,
    settings: Settings,
    quarantine: Quarantine,
) -> ChallengeReport:
    """Run both once more in a process of its own, in turns."""
    spec = ChallengeSpec(
        run_id=str(job.attempt_id),
        seed=attempt.seed,
        challenger=job.challenger,
        defender=job.defender,
        settings=settings.judge,
        sandbox=sandbox_choice(settings),
    )
    with quarantine.minding():
        return challenge_in_subprocess(spec, attempt.follow)


def measure_baseline(
    round_number: int,
    sequence_length: int,
    *,
    settings: Settings,
    quarantine: Quarantine,
) -> BaselineMeasured:
    """The trusted kernel's samples on this machine, now."""
    spec = BaselineSpec(
        run_id=f"baseline-{round_number}",
        target_sequence_length=sequence_length,
        settings=settings.judge,
        sandbox=sandbox_choice(settings),
    )
    with quarantine.minding():
        report = measure_baseline_in_subprocess(spec)
    return BaselineMeasured(
        event_id=new_id(),
        occurred_at=datetime.now(UTC),
        worker=settings.worker_name,
        pool=settings.pool,
        round_number=round_number,
        sequence_length=report.sequence_length,
        samples=report.samples,
        environment=report.environment,
    )


def examine_canary(
    canary: Canary, *, settings: Settings, quarantine: Quarantine
) -> CanaryVerdict:
    """What a known submission comes to, judged as a stranger's is."""
    spec = JudgeSpec(
        run_id=f"canary-{canary.value}-{new_id()}",
        source=canary_source(canary),
        target_sequence_length=settings.canary_sequence_length,
        settings=settings.judge,
        sandbox=sandbox_choice(settings),
    )
    with quarantine.minding():
        report = judge_in_subprocess(spec, unheard)
    return report.rejection.code if report.rejection else "passed"


@dataclass(frozen=True)
class Tools:
    """Who does the parts of a job: what `serve_with` is joined from.

    `measure(round_number, sequence_length)` gives the trusted kernel's
    samples; `race` runs a challenge; `examine` judges a canary.
    """

    measure: Callable[[int, int], BaselineMeasured]
    fetch: Fetch
    judge: Judge
    race: Callable[[ChallengeRequested, Attempt], ChallengeReport]
    examine: Examine


def tools_of(host: Host, settings: Settings) -> Tools:
    """The judge's own tools, in this host's sandbox."""
    quarantine = host.quarantine
    return Tools(
        measure=partial(
            measure_baseline, settings=settings, quarantine=quarantine
        ),
        fetch=make_fetcher(settings, host.sandbox).fetch,
        judge=partial(judge_job, settings=settings, quarantine=quarantine),
        race=partial(challenge_job, settings=settings, quarantine=quarantine),
        examine=partial(
            examine_canary, settings=settings, quarantine=quarantine
        ),
    )


def serve(host: Host, settings: Settings) -> None:
    """Take jobs until SIGTERM."""
    if settings.judge.profile is Profile.GPU:
        watch_gpu(settings.worker_name)
    serve_with(host, tools_of(host, settings))


def serve_with(host: Host, tools: Tools) -> None:
    """Take jobs until SIGTERM, and do them with these tools."""

    def deliver(event: BaselineMeasured) -> None:
        with host.stop.shielded():
            host.post.deliver(event)

    baselines = Baselines(tools.measure, deliver)
    story = partial(
        benchmark_submission,
        prepare=baselines.prepare,
        fetch=tools.fetch,
        judge=tools.judge,
    )

    def benchmark(job: BenchmarkRequested) -> None:
        host.run(job, partial(story, job), Stage.FETCH)

    duel = partial(run_challenge, prepare=baselines.prepare, judge=tools.race)

    def challenge(job: ChallengeRequested) -> None:
        host.run(job, partial(duel, job), Stage.SMOKE)

    host.consume(
        {BenchmarkRequested: benchmark, ChallengeRequested: challenge},
        tools.examine,
    )


def main() -> None:
    """Run the worker until SIGTERM."""
    run_process(Settings, "benchmark", serve)
