"""Measures how many signed submissions a second the API takes.

On PostgreSQL, as real processes (web, scheduler, broker), with quotas and
limits off; generator, server and database share the machine. First 200 a
second for a minute: nothing lost, nothing doubled. Then in steps to the
highest rate that holds, and the same for a plain endpoint beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import text

from deploy.local.load import machine
from deploy.local.load.generator import Answer, Volley, fire
from deploy.local.load.postgres import postgres
from deploy.local.load.serving import referred, served
from deploy.local.load.shots import Shots, plain_shots, signed_shots
from services.api.db.session import Database

ACCEPTED = 202
TARGET_P99_MS = 100.0
HOLDS_P99_MS = 1_000.0
FIRST_RATE = 25
STEP = 1.25


@dataclass(frozen=True)
class Step:
    """One rate, and what came of it."""

    rate: int
    volley: Volley

    @property
    def p99_ms(self) -> float:
        """The time within which 99 of 100 were answered."""
        return self.volley.milliseconds(0.99)

    @property
    def whole(self) -> bool:
        """Whether every request was accepted."""
        return set(self.volley.statuses()) == {ACCEPTED}

    @property
    def holds(self) -> bool:
        """Whether this rate could go on."""
        return self.whole and self.p99_ms <= HOLDS_P99_MS


def climb(
    port: int, shots: Shots, seconds: float, first: int = FIRST_RATE
) -> Iterator[Step]:
    """Rate after rate, each a quarter higher, until one does not hold."""
    rate = float(first)
    while True:
        step = Step(round(rate), fire(port, shots(round(rate), seconds)))
        yield step
        if not step.holds:
            return
        rate *= STEP


def highest(steps: Sequence[Step], p99_ms: float) -> int:
    """The highest rate that held within this time; 0 where none did."""
    rates = [s.rate for s in steps if s.whole and s.p99_ms <= p99_ms]
    return max(rates, default=0)


def books(database: Database, answers: Sequence[Answer]) -> dict[str, int]:
    """What the database has of what was answered: lost, doubled, extra."""
    ids = [json.loads(one.body)["submission_id"] for one in answers]
    with database.read() as session:
        rows = {
            str(row[0])
            for row in session.execute(text("SELECT id FROM submissions"))
        }
        entered = session.scalar(
            text(
                "SELECT count(*) FROM event_log"
                " WHERE kind = 'moved' AND from_status IS NULL"
            )
        )
        commits = session.scalar(
            text("SELECT count(DISTINCT commit_hash) FROM submissions")
        )
    return {
        "accepted": len(ids),
        "lost": len(set(ids) - rows),
        "doubled": len(ids) - len(set(ids)) + len(rows) - (commits or 0),
        "stored_unanswered": len(rows - set(ids)),
        "without_a_row_in_the_log": len(rows) - (entered or 0),
    }


def measure(
    folder: Path, rate: int, seconds: float, step_seconds: float
) -> Any:
    """The whole run, as `--json` prints it."""
    load = os.getloadavg()[0]
    with postgres(folder) as url:
        database = Database(url)
        with served(folder, url) as port:
            fire(port, signed_shots(10, 1.0))
            main_run = Step(rate, fire(port, signed_shots(rate, seconds)))
            steps = list(climb(port, signed_shots, step_seconds))
        taken = [
            *main_run.volley.with_status(ACCEPTED),
            *(a for s in steps for a in s.volley.with_status(ACCEPTED)),
        ]
        found = books(database, taken)
        database.close()
        # those of the warming up
        found["stored_unanswered"] -= 10
        with referred(folder, url) as port:
            fire(port, plain_shots(10, 1.0))
            plain = list(climb(port, plain_shots, step_seconds))
    ours, theirs = highest(steps, HOLDS_P99_MS), highest(plain, HOLDS_P99_MS)
    return {
        "machine": machine.machine(load),
        "run": {"rate": rate, "seconds": seconds, **main_run.volley.summary()},
        "books": found,
        "steps": [{"rate": s.rate, **s.volley.summary()} for s in steps],
        "reference": [{"rate": s.rate, **s.volley.summary()} for s in plain],
        "holds": ours,
        "holds_p99_100ms": highest(steps, TARGET_P99_MS),
        "reference_holds": theirs,
        "ratio": round(ours / theirs, 3) if theirs else None,
    }


def report(found: dict[str, Any]) -> str:
    """The run as a page of docs/benchmarks."""
    run, kept = found["run"], found["books"]
    lines = [
        f"# Signed submissions a second, {found['machine']['date']}",
        "",
        "```",
        "make bench-api",
        "```",
        "",
        machine.told(found["machine"]),
        "",
        (
            f"{run['rate']}/s for {run['seconds']:g} s: statuses"
            f" {run['statuses']}, p50 {run['p50_ms']} ms,"
            f" p95 {run['p95_ms']} ms, p99 {run['p99_ms']} ms,"
            f" max {run['max_ms']} ms. Over all runs"
            f" {kept['accepted']} accepted, {kept['lost']} lost,"
            f" {kept['doubled']} doubled, {kept['stored_unanswered']} stored"
            " without an answer."
        ),
        "",
        (
            "The highest rate that holds (everything accepted, p99 within"
            f" 1 s): **{found['holds']}/s**; with p99 within 100 ms"
            f" {found['holds_p99_100ms']}/s. The plain FastAPI and SQLAlchemy"
            " endpoint without signature, on the same database in the same"
            f" run: {found['reference_holds']}/s, so the ratio is"
            f" **{found['ratio']}**."
        ),
        "",
        "| server | rate | p50 ms | p95 ms | p99 ms | statuses |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, key_ in (("API", "steps"), ("reference", "reference")):
        lines += [
            f"| {name} | {s['rate']} | {s['p50_ms']} | {s['p95_ms']} |"
            f" {s['p99_ms']} | {s['statuses']} |"
            for s in found[key_]
        ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Start everything, measure, write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--step-seconds", type=float, default=10.0)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--out", type=Path, help="where to write the page")
    options = parser.parse_args()
    with TemporaryDirectory(prefix="bench-api-") as folder:
        found = measure(
            Path(folder), options.rate, options.seconds, options.step_seconds
        )
    if options.out:
        options.out.write_text(report(found), encoding="utf-8")
    sys.stdout.write(
        (json.dumps(found) if options.json else report(found)) + "\n"
    )


if __name__ == "__main__":
    main()
