"""Measures how soon an idle worker starts on a submission that is sent in.

From the moment before the request is signed to the moment at which the
worker says that it started, as the submission's own history tells it.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from quasar_core.client.api import QuasarClient
from quasar_core.domain.submissions import TERMINAL, Status
from rich.console import Console
from rich.table import Table

from deploy.local.miners.kinds import kind_named
from deploy.local.miners.roster import Miner, Sent, enlist, send
from deploy.local.rules import Rules
from deploy.local.session import interruptible, last_words, passing_folder
from deploy.local.stack import Stack

KIND = "forbidden_import"
"""Turned down at the screen: the next one finds the worker idle soon."""
QUIET_SECONDS = 0.5
POLL_SECONDS = 0.05
RESTING = frozenset(status.value for status in TERMINAL)


def percentile(samples: Sequence[float], share: float) -> float:
    """The nearest-rank percentile: a sample that was really measured."""
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def summary(samples: Sequence[float]) -> dict[str, Any]:
    """What `--json` prints: milliseconds, and how many there were."""
    return {
        "measure": "submission_to_benchmark_start",
        "samples": len(samples),
        "median_ms": round(1_000 * percentile(samples, 0.50), 1),
        "p50_ms": round(1_000 * percentile(samples, 0.50), 1),
        "p95_ms": round(1_000 * percentile(samples, 0.95), 1),
        "max_ms": round(1_000 * max(samples), 1),
    }


def latencies(stack: Stack, count: int) -> Iterator[float]:
    """Send one after another into an idle stack; seconds, one each."""
    miner = enlist(
        [kind_named(KIND)],
        chain=stack.chain,
        wallets=stack.place.wallets,
        forks=stack.place.forks,
        league_unit=stack.rules.league_unit,
    )[0]
    with stack.client() as client:
        receiver = client.current_round().receiver_hotkey
        for turn in range(count):
            time.sleep(QUIET_SECONDS)
            length = miner.sequence_length + 64 * turn
            mine = replace(miner, sequence_length=length)
            yield _latency(stack, client, mine, receiver)


def _latency(
    stack: Stack, client: QuasarClient, miner: Miner, receiver: str
) -> float:
    began = datetime.now(UTC)
    sent = send(miner, stack.wiring.api_url, receiver)
    while client.submission(sent.submission_id).status not in RESTING:
        stack.processes.check()
        time.sleep(POLL_SECONDS)
    return (_started_at(client, sent) - began).total_seconds()


def _started_at(client: QuasarClient, sent: Sent) -> datetime:
    for move in client.events(sent.submission_id):
        if move.to_status == Status.BENCHMARKING:
            return move.occurred_at
    raise ValueError("the submission ended without having been started")


def main() -> None:
    """Start a stack, measure, stop it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=40, metavar="N")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--directory", type=Path)
    options = parser.parse_args()
    rules = Rules(judged_per_round=options.count + 1)
    console = Console(stderr=True)
    with (
        last_words(),
        interruptible(),
        passing_folder("bench", options.directory) as folder,
        Stack(folder, rules, fresh=True) as stack,
    ):
        stack.start(console.print)
        samples = list(latencies(stack, options.count))
    found = summary(samples)
    if options.json:
        sys.stdout.write(json.dumps(found) + "\n")
        return
    table = Table(title="From submission to the start of its benchmark")
    for name, value in found.items():
        table.add_row(name, str(value))
    Console().print(table)


if __name__ == "__main__":
    main()
