"""A worker with the judge that waits: `python -m deploy.local.pool ROLE`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from quasar_core.errors import Stage
from quasar_core.worker.host import Host, run_process
from quasar_core.worker.settings import WorkerSettings

from deploy.local.pool.waiting import WaitingJudge, all_is_well
from services.benchmark_worker import app as benchmark_worker
from services.benchmark_worker.settings import Settings as BenchmarkSettings
from services.verifier_worker import app as verifier_worker
from services.verifier_worker.settings import Settings as VerifierSettings


def main(arguments: Sequence[str]) -> None:
    """Run until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("role", choices=("benchmark", "verifier"))
    parser.add_argument("--seconds", type=float, default=0.2)
    parser.add_argument("--stages", type=Stage, nargs="*", default=[])
    parser.add_argument("--poison", default="", metavar="PREFIX")
    asked = parser.parse_args(arguments)

    def judge_of(settings: WorkerSettings) -> WaitingJudge:
        if settings.environment == "production":
            sys.exit("a judge that waits has no place in production")
        return WaitingJudge(
            worker=settings.worker_name,
            pool=settings.pool,
            seconds=asked.seconds,
            stages=tuple(asked.stages),
            poison=asked.poison,
        )

    def benchmark(host: Host, settings: BenchmarkSettings) -> None:
        judge = judge_of(settings)
        tools = benchmark_worker.Tools(
            measure=judge.measure,
            fetch=judge.fetch,
            judge=judge.judge,
            race=judge.race,
            examine=all_is_well("benchmark"),
        )
        benchmark_worker.serve_with(host, tools)

    def verifier(host: Host, settings: VerifierSettings) -> None:
        verify = judge_of(settings).verify
        verifier_worker.serve_with(host, verify, all_is_well("verifier"))

    if asked.role == "benchmark":
        run_process(BenchmarkSettings, "benchmark", benchmark)
    else:
        run_process(VerifierSettings, "verifier", verifier)


if __name__ == "__main__":
    main(sys.argv[1:])
