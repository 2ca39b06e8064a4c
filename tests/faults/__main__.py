"""Every fault, for real, as one table: `python -m tests.faults`.

Real processes over a real PostgreSQL and a real Valkey, killed and broken
while they judge (by waiting: the judge is no part of this). The exit code is
1 where a submission was lost or counted twice.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from deploy.local.load import machine
from tests.faults.arena import Arena
from tests.faults.catalogue import FAULTS, missing
from tests.faults.database import breakable_postgres
from tests.faults.running import (
    Outcome,
    Row,
    as_dict,
    right,
    rows,
    run,
    table,
)
from tests.faults.scenarios import Fault

PAGE = """\
# What the platform survives

```
make faults
```

{told}

One platform of real processes (PostgreSQL, Valkey, web, recorder, scheduler,
two benchmark workers, a verifier, at the end a weight setter) in which each
fault is brought about ({runs}) while jobs run. The judge is one that
waits ({judge}). Lost: accepted and without its one end (scored;
for the poison: `infra_failed`). Duplicated: two rows, results or scores for
one submission. Seconds: from the strike until the last submission had its end,
the slowest run; the lease is {lease:g} s.

{table}
"""


def main(arguments: Sequence[str]) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", nargs="+", default=[""], metavar="WORDS")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--out", type=Path, help="where to write the page")
    asked = parser.parse_args(arguments)
    chosen = [
        f for f in FAULTS if any(words in f.name for words in asked.only)
    ]
    if not chosen:
        parser.error(f"no fault is called {asked.only}")
    lacking = {one.name: missing(one, postgres=True) for one in chosen}
    here = [one for one in chosen if not lacking[one.name]]
    load = os.getloadavg()[0]
    outcomes: list[Outcome] = []
    try:
        for outcome in _suffered(here, asked.runs):
            outcomes.append(outcome)
            sys.stderr.write(f"{outcome}\n")
    finally:
        # a scenario that breaks takes nothing with it that was measured
        found = rows(outcomes)
        _tell(found, lacking, as_json=asked.json)
    if asked.out:
        asked.out.write_text(_page(found, asked.runs, load))
    return 0 if right(found) else 1


def _suffered(faults: Sequence[Fault], runs: int) -> Iterator[Outcome]:
    """Each fault so often, on one platform."""
    with (
        tempfile.TemporaryDirectory(prefix="quasar-faults-") as folder,
        breakable_postgres(Path(folder)) as postgres,
        closing(Arena(Path(folder), postgres.url, postgres)) as arena,
    ):
        arena.start()
        for fault in faults:
            for _ in range(runs):
                yield run(fault, arena)


def _tell(
    found: Sequence[Row], lacking: Mapping[str, str], *, as_json: bool
) -> None:
    skipped = [f"{name}: no {what}" for name, what in lacking.items() if what]
    told = (
        [json.dumps(as_dict(found, skipped))]
        if as_json
        else [*table(found), *(f"skipped: {one}" for one in skipped)]
    )
    sys.stdout.write("\n".join(told) + "\n")


def _page(found: Sequence[Row], runs: int, load: float) -> str:
    from tests.faults.arena import CREW, LEASE_SECONDS

    return PAGE.format(
        told=machine.told(machine.machine(load)),
        runs=f"{runs} run" if runs == 1 else f"{runs} runs",
        judge=f"{CREW.seconds:g} s in {len(CREW.stages)} stages",
        lease=LEASE_SECONDS,
        table="\n".join(table(found)),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
