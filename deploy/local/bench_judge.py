"""Measures a whole judging of the baseline, and the start of its sandbox.

The judging is the worker's own: a referee's process, its sandboxes, all
stages at the smallest league of a laptop. A sandbox has started when the
empty candidate in it has answered that it is ready.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from typing import Any

from quasar_core.execution.backends import choose_sandbox
from quasar_core.execution.sandbox import Sandbox
from quasar_core.judge.jobs import JudgeSpec, SandboxChoice
from quasar_core.judge.pinned import baseline_source
from quasar_core.judge.settings import JudgeSettings
from quasar_core.judge.spawn import judge_in_subprocess
from rich.console import Console
from rich.table import Table

from deploy.local.bench import percentile
from deploy.local.rules import Rules

WHOLE_SECONDS, START_SECONDS = 15.0, 0.3
"""What a whole judging, and bubblewrap's start, should take at most."""
CONTAINER_SECONDS = 1.0
"""Likewise of a container's start."""


def judgings(count: int, choice: SandboxChoice) -> list[float]:
    """Seconds of whole judgings of the baseline at the smallest league."""
    return [_judging(choice) for _ in range(count)]


def _judging(choice: SandboxChoice) -> float:
    started = time.monotonic()
    report = judge_in_subprocess(
        JudgeSpec(
            run_id="bench",
            source=baseline_source(),
            target_sequence_length=Rules().league_unit,
            sandbox=choice,
        ),
        lambda _: None,
    )
    if report.timing is None:
        raise ValueError(f"the baseline was rejected: {report.rejection}")
    return time.monotonic() - started


def starts(count: int, sandbox: Sandbox) -> list[float]:
    """Seconds until an empty candidate in a new sandbox is ready."""
    return [_start(sandbox) for _ in range(count)]


def _start(sandbox: Sandbox) -> float:
    # torch takes seconds to import: only who measures this loads it.
    from quasar_core.judge.buffers import SealedMemory
    from quasar_core.judge.faults import Patience
    from quasar_core.judge.image import empty_job
    from quasar_core.judge.seat import Seat
    from quasar_core.judge.seeds import Seeds

    limits = JudgeSettings().sandbox_limits
    chance = Seeds.fresh("bench").chance("order", 0)
    started = time.monotonic()
    with Seat.take(
        sandbox,
        lambda descriptor: empty_job(descriptor, limits),
        SealedMemory(),
        4_096,
        chance,
    ) as seat:
        seat.ready(Patience(60))
        return time.monotonic() - started


def summary(
    whole: Sequence[float], started: Sequence[float], backend: str
) -> dict[str, Any]:
    """What `--json` prints: seconds, and what they should be at most."""
    return {
        "sandbox": backend,
        "sequence_length": Rules().league_unit,
        "judgings": len(whole),
        "judging_median_seconds": round(percentile(whole, 0.5), 2),
        "judging_max_seconds": round(max(whole), 2),
        "judging_target_seconds": WHOLE_SECONDS,
        "starts": len(started),
        "start_median_seconds": round(percentile(started, 0.5), 3),
        "start_p95_seconds": round(percentile(started, 0.95), 3),
        "start_target_seconds": START_SECONDS,
    }


def container_starts(count: int) -> dict[str, Any]:
    """The same of a container, where an engine answers; else nothing."""
    from quasar_core.execution.docker import DockerSandbox

    sandbox = DockerSandbox()
    if not sandbox.answers():
        return {}
    sandbox.sweep()
    sandbox.preflight()
    started = starts(count, sandbox)
    return {
        "docker_starts": len(started),
        "docker_start_median_seconds": round(percentile(started, 0.5), 3),
        "docker_start_target_seconds": CONTAINER_SECONDS,
    }


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=5, metavar="N")
    parser.add_argument("--starts", type=int, default=20, metavar="N")
    parser.add_argument("--backend")
    parser.add_argument("--allow-degraded", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    choice = SandboxChoice(
        backend=options.backend, allow_degraded=options.allow_degraded
    )
    sandbox = choose_sandbox(
        options.backend, allow_degraded=options.allow_degraded
    )
    sandbox.preflight()
    started = starts(options.starts, sandbox)
    found = summary(judgings(options.count, choice), started, sandbox.name)
    if options.backend is None:
        found |= container_starts(options.starts)
    if options.json:
        sys.stdout.write(json.dumps(found) + "\n")
        return
    table = Table(title="A whole judging of the baseline, and its sandbox")
    for name, value in found.items():
        table.add_row(name, str(value))
    Console().print(table)


if __name__ == "__main__":
    main()
