"""The red team on the command line: `python -m tests.redteam`.

Runs every fixture that needs no device, in the real sandbox, and prints one
table. The exit code is 1 where an attack was missed, an honest kernel was
rejected, a mutant lives, or the worker was not healthy afterwards.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from quasar_core.errors import QuasarError
from quasar_core.execution.backends import choose_sandbox
from quasar_core.execution.sandbox import SandboxUnavailable
from quasar_core.judge.seeds import Seeds
from rich.console import Console

from tests.redteam.arena import Arena, Result
from tests.redteam.board import as_dict, board, summary
from tests.redteam.catalogue import ATTACKS, LOOK_ALIKES, Fixture, catalogue
from tests.redteam.mutants.killing import Fate, cases, fates

MUTANT_TOKENS = 448


def main(arguments: Sequence[str]) -> int:
    """The exit code."""
    asked = _parser().parse_args(arguments)
    tell = Console(stderr=True)
    fixtures = [*catalogue(ATTACKS), *catalogue(LOOK_ALIKES)]
    if asked.only:
        fixtures = [one for one in fixtures if asked.only in one.name]
    here = [one for one in fixtures if not one.gpu]
    skipped = [one.name for one in fixtures if one.gpu]
    with tempfile.TemporaryDirectory(prefix="quasar-redteam-") as folder:
        try:
            sandbox = choose_sandbox(
                asked.backend, allow_degraded=asked.allow_degraded
            )
            with Arena(Path(folder), sandbox) as arena:
                results = list(_fight(arena, here, tell))
        except SandboxUnavailable as fault:
            tell.print(f"error: {fault}", markup=False)
            return 2
    died: list[Fate] = []
    if not asked.only:
        tell.print("mutants ...")
        died = list(fates(cases(Seeds.fresh("mutants"), MUTANT_TOKENS)))
    if asked.json:
        sys.stdout.write(json.dumps(as_dict(results, died, skipped)) + "\n")
    else:
        _show(results, died, skipped)
    right = all(one.right for one in results)
    return 0 if right and all(fate.killed for fate in died) else 1


def _fight(
    arena: Arena, fixtures: Sequence[Fixture], tell: Console
) -> Iterator[Result]:
    """Each fixture, a small honest job after it, a whole one per family."""
    arena.whole()
    for family, ones in itertools.groupby(fixtures, lambda one: one.family):
        for fixture in ones:
            tell.print(f"{fixture.name} ...", markup=False, highlight=False)
            result = arena.run(fixture)
            try:
                arena.check_health()
            except QuasarError as fault:
                result = Result(fixture, "worker harmed", str(fault))
            yield result
        if arena.whole().rejection is not None:
            raise SystemExit(f"after family {family} an honest kernel fails")


def _show(
    results: Sequence[Result], died: Sequence[Fate], skipped: Sequence[str]
) -> None:
    console = Console()
    if not console.is_terminal:
        console = Console(width=160)
    console.print(board(results))
    for line in summary(results, died):
        console.print(line, markup=False)
    for fate in died:
        if not fate.killed:
            console.print(f"  lives: {fate.name}", style="bold red")
    if skipped:
        console.print(
            f"not run here, they need a device: {', '.join(skipped)}",
            markup=False,
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make redteam",
        description=(
            "Run every attack, look-alike and mutant against the judge."
        ),
    )
    parser.add_argument(
        "--json", action="store_true", help="one JSON object, for machines"
    )
    parser.add_argument(
        "--only", metavar="WORD", help="fixtures whose name holds this"
    )
    parser.add_argument("--backend", help="docker or bubblewrap")
    parser.add_argument(
        "--allow-degraded",
        action="store_true",
        help="without control groups: some fixtures will be missed",
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
