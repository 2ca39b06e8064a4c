"""Measures what is read most on a database of 100 000 submissions.

Over HTTP, from the real web process on PostgreSQL. Warm is a board as it
stands; cold is the first answer after a score has changed it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from deploy.local.load import machine
from deploy.local.load.filling import fill
from deploy.local.load.generator import Shot, Volley, fire, request
from deploy.local.load.postgres import postgres
from deploy.local.load.serving import served
from deploy.local.load.shots import hotkey
from services.api.db.session import Database

TARGET_P95_MS = 50.0
PAUSE_SECONDS = 0.05


def paths(rounds: int) -> Mapping[str, str]:
    """What is asked for, by name; the last round is the open one."""
    middle = max(1, rounds // 2)
    return {
        "leaderboard": "/leaderboard",
        "leaderboard of a league": "/leaderboard?league=1M",
        "statistics": "/get_submission_stats",
        "standings, running": f"/rounds/{rounds}/standings",
        "standings, final": f"/rounds/{middle}/standings",
        "explain, running": f"/rounds/{rounds}/explain/{hotkey(3)}",
        "explain, final": f"/rounds/{middle}/explain/{hotkey(3)}",
        "challenges": f"/rounds/{middle}/challenges",
        "submissions": "/submissions",
        "submissions of a miner": f"/submissions?hotkey={hotkey(3)}",
        "submissions of a round": f"/submissions?round={middle}",
        "scored of a round": f"/submissions?round={middle}&status=scored",
        "weights": "/weights",
    }


def asked(port: int, path: str, count: int) -> Volley:
    """One request after another, each with a little rest before it.

    Raises ValueError where one is refused: how long that takes is not asked.
    """
    volley = Volley()
    for _ in range(count):
        shot = Shot(PAUSE_SECONDS, request("GET", path))
        volley.answers += fire(port, [shot]).answers
    if volley.statuses() != {200: count}:
        raise ValueError(f"{path}: answers by status {volley.statuses()}")
    return volley


def touched(database: Database) -> None:
    """Let every board of every round have to be made anew."""
    with database.engine.begin() as connection:
        connection.execute(
            text("UPDATE rounds SET results_version = results_version + 1")
        )


def cold(port: int, database: Database, path: str, count: int) -> Volley:
    """Each answer the first one after a change."""
    volley = Volley()
    for _ in range(count):
        touched(database)
        volley.answers += asked(port, path, 1).answers
    return volley


def measure(
    folder: Path, submissions: int, per_round: int, count: int
) -> dict[str, Any]:
    """The whole run, as `--json` prints it."""
    load = os.getloadavg()[0]
    with postgres(folder) as url, closing(Database(url)) as database:
        began = time.monotonic()
        with Session(database.engine) as session:
            rounds = fill(session, submissions, per_round)
        filling = time.monotonic() - began
        with database.engine.connect() as connection:
            # as the database's own vacuum leaves what has come to rest
            connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.execute(text("VACUUM ANALYZE"))
        found = {}
        with served(folder, url) as port:
            for name, path in paths(rounds).items():
                first = cold(port, database, path, max(3, count // 10))
                warm = asked(port, path, count)
                found[name] = {
                    "warm": warm.summary(),
                    "cold": first.summary(),
                }
    return {
        "machine": machine.machine(load),
        "submissions": submissions,
        "rounds": rounds,
        "per_round": per_round,
        "filling_seconds": round(filling, 1),
        "asked": found,
    }


def report(found: dict[str, Any]) -> str:
    """The run as a page of docs/benchmarks."""
    lines = [
        (
            f"# Reading {found['submissions']} submissions,"
            f" {found['machine']['date']}"
        ),
        "",
        "```",
        "make bench-scale",
        "```",
        "",
        machine.told(found["machine"]),
        "",
        (
            f"{found['rounds']} rounds of {found['per_round']} submissions,"
            f" the last one open, filled in {found['filling_seconds']} s and"
            " vacuumed. Warm: the board is as it was; cold: the first"
            " answer after a score has changed it. Milliseconds over HTTP,"
            " one request at a time."
        ),
        "",
        "| what | warm p50 | warm p95 | cold p50 | cold max | p95 < 50 ms |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, one in found["asked"].items():
        warm, first = one["warm"], one["cold"]
        cells = (
            name,
            warm["p50_ms"],
            warm["p95_ms"],
            first["p50_ms"],
            first["max_ms"],
            "yes" if warm["p95_ms"] < TARGET_P95_MS else "no",
        )
        lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Fill, ask, write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--submissions", type=int, default=100_000)
    parser.add_argument("--per-round", type=int, default=1_000)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--out", type=Path, help="where to write the page")
    options = parser.parse_args()
    with TemporaryDirectory(prefix="bench-scale-") as folder:
        found = measure(
            Path(folder),
            options.submissions,
            options.per_round,
            options.count,
        )
    page = report(found)
    if options.out:
        options.out.write_text(page, encoding="utf-8")
    sys.stdout.write(json.dumps(found) + "\n" if options.json else page)


if __name__ == "__main__":
    main()
