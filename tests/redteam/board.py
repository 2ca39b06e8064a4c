"""The board: what became of every fixture, for people and for machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from rich.markup import escape
from rich.table import Table

from tests.redteam.arena import Result
from tests.redteam.catalogue import FAMILIES
from tests.redteam.mutants.killing import Fate

COLOURS = {"caught": "green", "neutralised": "green", "passed": "green"}


def board(results: Iterable[Result]) -> Table:
    """One row for each fixture."""
    table = Table(title="The judge is judged", title_justify="left")
    for column in ("id", "what it does", "screen", "expected", "got", "how"):
        table.add_column(column, overflow="fold")
    family = ""
    for result in results:
        fixture = result.fixture
        if fixture.family != family:
            table.add_section()
            family = fixture.family
        colour = COLOURS.get(result.got, "bold red")
        table.add_row(
            fixture.id,
            escape(fixture.does),
            fixture.screen or "passes",
            fixture.expected,
            f"[{colour}]{result.got}[/]",
            escape(result.told),
        )
    return table


def summary(results: Iterable[Result], fates: Iterable[Fate]) -> list[str]:
    """The counts in sentences."""
    results, fates = list(results), list(fates)
    lines = []
    for family, name in {**FAMILIES, "honest": "honest look-alikes"}.items():
        of_it = [one for one in results if one.fixture.family == family]
        if of_it:
            counts = Counter(one.got for one in of_it)
            told = ", ".join(f"{n} {got}" for got, n in counts.items())
            lines.append(f"{family} ({name}): {told}")
    if fates:
        killed = sum(fate.killed for fate in fates)
        lines.append(
            f"mutants: {killed} of {len(fates)} killed"
            f" ({100 * killed / len(fates):.0f} %)"
        )
    return lines


def as_dict(
    results: Iterable[Result],
    fates: Iterable[Fate],
    skipped: Iterable[str],
) -> dict[str, Any]:
    """The whole of it, for machines."""
    fates = list(fates)
    return {
        "attacks": [
            {
                "id": one.fixture.id,
                "name": one.fixture.name,
                "family": one.fixture.family,
                "does": one.fixture.does,
                "screen": one.fixture.screen or None,
                "expected": one.fixture.expected,
                "got": one.got,
                "how": one.told,
                "right": one.right,
            }
            for one in results
        ],
        "mutants": [
            {"name": fate.name, "killed": fate.killed, "how": fate.told}
            for fate in fates
        ],
        "needs_a_device": list(skipped),
    }
