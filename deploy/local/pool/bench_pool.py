"""Measures how a pool of workers drains a queue whose jobs only wait.

For each size of the pool a whole platform as real processes (PostgreSQL,
Valkey, web, scheduler, recorder, workers), to which every submission is
posted, signed, before the first is dispatched. A judging is replaced by a
wait, as it is for a worker whose GPU is busy: what is measured is the
platform around it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from quasar_core.domain.submissions import Status
from sqlalchemy import func, select

from deploy.local.load import machine
from deploy.local.load.generator import fire
from deploy.local.load.postgres import postgres
from deploy.local.load.shots import signed_shots
from deploy.local.pool.books import books_of
from deploy.local.pool.platform import Crew, PoolPlatform
from services.api.attempts.repository import Job
from services.api.attempts.states import State
from services.api.db.models import Attempt, Submission

ACCEPTED = 202
POSTED_PER_SECOND = 50
POLL_SECONDS = 0.1
PATIENCE_SECONDS = 1_800.0
COSTS = ("recorder", "scheduler", "workers", "broker")
AHEAD = 2
"""Messages that wait in the queue for each worker of the pool."""

HEAD = (
    *("workers", "seconds", "submissions/s", "times the first", "attempts"),
    *("leases lost", "duplicated", "lost", "CPU ms each", "load"),
)
PAGE = """\
# A pool that drains a queue

```
make bench-pool
```

{told}

{count} signed submissions are posted while idle workers wait, then the
scheduler starts. Each worker is a real process (broker user, key, lease,
heartbeat, spool) that stands for a machine of its own, with the judge
replaced by one that waits {milliseconds} ms (`deploy/local/pool`); fetching
is replaced as well. Scheduler, recorder, web, PostgreSQL and Valkey are the
real ones and share the machine. Time counts from the first job taken to the
last result recorded. Nobody verifies logits: a submission that waits for
that is done here.

{table}

CPU ms each: what a submission costs the platform; in the last row {costs},
and PostgreSQL beside. Load: runnable processes before that size was started.
"""


@dataclass(frozen=True)
class Drain:
    """One size of the pool, and how it drained the queue."""

    workers: int
    submissions: int
    seconds: float
    leases_lost: int
    attempts: int
    duplicated: int
    lost: int
    cpu_ms: dict[str, float]
    """Processor time a submission, by who used it."""
    load: float

    @property
    def rate(self) -> float:
        """Submissions a second, from the first job taken to the last done."""
        return self.submissions / self.seconds


def drain(folder: Path, workers: int, count: int, seconds: float) -> Drain:
    """Let so many workers drain a queue of `count` submissions."""
    load = os.getloadavg()[0]
    with (
        postgres(folder) as url,
        PoolPlatform(
            folder,
            url,
            Crew(benchmark=workers, seconds=seconds),
            {"QUASAR_DISPATCH_AHEAD": str(AHEAD * workers)},
        ) as platform,
    ):
        platform.processes.start(platform.broker)
        platform.start("web", "scheduler", "recorder", *platform.workers)
        platform.await_workers()
        # a round is open and all wait: nothing is dispatched until all is in
        platform.processes.end("scheduler")
        shots = signed_shots(POSTED_PER_SECOND, count / POSTED_PER_SECOND)
        volley = fire(platform.port, shots)
        taken = volley.with_status(ACCEPTED)
        accepted = {UUID(json.loads(a.body)["submission_id"]) for a in taken}
        if len(taken) < count:
            raise SystemExit(f"not all were accepted: {volley.statuses()}")
        platform.start("scheduler")
        _await_status(platform, Status.BENCHMARKING, 1)
        before = {n: cpu_seconds(platform, n) for n in COSTS}
        _await_status(platform, Status.VERIFYING, count)
        costs = {
            name: round(
                1_000 * (cpu_seconds(platform, name) - before[name]) / count, 1
            )
            for name in COSTS
        }
        with platform.database.read() as session:
            books = books_of(session, accepted, (Status.VERIFYING,))
            made = session.scalars(
                select(Attempt).where(Attempt.kind == Job.BENCHMARK)
            ).all()
        began = min(one.started_at for one in made if one.started_at)
        ended = max(one.finished_at for one in made if one.finished_at)
    return Drain(
        workers=workers,
        submissions=count,
        seconds=(ended - began).total_seconds(),
        leases_lost=books.attempts.get(State.LOST, 0),
        attempts=len(made),
        duplicated=len(books.duplicated),
        lost=len(books.lost),
        cpu_ms=costs,
        load=round(load, 2),
    )


def cpu_seconds(platform: PoolPlatform, name: str) -> float:
    """The processor time of a process, or of all workers, so far."""
    names = platform.workers if name == "workers" else (name,)
    pids = [platform.processes.pid(one) for one in names]
    stats = [
        Path(f"/proc/{pid}/stat").read_text(encoding="ascii") for pid in pids
    ]
    ticks = sum(
        int(ticks)
        for stat in stats
        for ticks in stat.rpartition(")")[2].split()[11:13]
    )
    return ticks / os.sysconf("SC_CLK_TCK")


def _await_status(platform: PoolPlatform, status: Status, least: int) -> None:
    query = (
        select(func.count())
        .select_from(Submission)
        .where(Submission.status.in_((status, Status.VERIFYING)))
    )
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        platform.processes.check()
        with platform.database.read() as session:
            if (session.scalar(query) or 0) >= least:
                return
        time.sleep(POLL_SECONDS)
    raise SystemExit(f"not {least} submissions became {status}")


def table(drains: Sequence[Drain]) -> list[str]:
    """The drains as a table, each beside the first."""
    first = drains[0]
    return [
        f"| {' | '.join(HEAD)} |",
        "| --- " * len(HEAD) + "|",
        *(
            f"| {d.workers} | {d.seconds:.1f} | {d.rate:.2f} |"
            f" {d.rate / first.rate:.2f} | {d.attempts} |"
            f" {d.leases_lost} | {d.duplicated} | {d.lost} |"
            f" {sum(d.cpu_ms.values()):.0f} | {d.load:g} |"
            for d in drains
        ),
    ]


def right(drains: Sequence[Drain]) -> bool:
    """Whether nothing was lost, doubled, or taken from its worker."""
    return not any(d.leases_lost or d.duplicated or d.lost for d in drains)


def main(arguments: Sequence[str]) -> int:
    """Measure each size, and print the table; 1 where something was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--workers", type=int, nargs="+", default=[1, 2, 4, 8], metavar="N"
    )
    parser.add_argument("--submissions", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=0.2)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--out", type=Path, help="where to write the page")
    asked = parser.parse_args(arguments)
    load = os.getloadavg()[0]
    drains = []
    for workers in asked.workers:
        with TemporaryDirectory(prefix="bench-pool-") as folder:
            drains.append(
                drain(Path(folder), workers, asked.submissions, asked.seconds)
            )
        sys.stderr.write(table(drains)[-1] + "\n")
    if asked.out:
        told = machine.told(machine.machine(load))
        asked.out.write_text(
            _page(drains, told, asked.seconds), encoding="utf-8"
        )
    if asked.json:
        sys.stdout.write(json.dumps([asdict(d) for d in drains]) + "\n")
    else:
        sys.stdout.write("\n".join(table(drains)) + "\n")
    return 0 if right(drains) else 1


def _page(drains: Sequence[Drain], told: str, seconds: float) -> str:
    """The page of docs/benchmarks."""
    costs = ", ".join(f"{n} {ms:g}" for n, ms in drains[-1].cpu_ms.items())
    return PAGE.format(
        told=told,
        count=drains[0].submissions,
        milliseconds=f"{1_000 * seconds:.0f}",
        table="\n".join(table(drains)),
        costs=costs,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
