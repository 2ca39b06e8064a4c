"""Findings: what a doctor saw, and how it is told: a table or JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TypeVar

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from quasar_core.options import Chosen, OptionFault
from quasar_core.settings import CoreSettings

PIPED_WIDTH = 100
STYLES = {"ok": "green", "note": "yellow", "FAIL": "bold red"}

CORRECT = (
    "correct it in the environment or in .env; docs/configuration.md says"
    " what each variable takes"
)

S = TypeVar("S", bound=CoreSettings)
Check = Callable[[S], Iterator["Finding"]]
"""What looks at one thing, from settings of its kind."""


@dataclass(frozen=True)
class Finding:
    """One thing looked at: `fix` says what to do where it is not well.

    What is not `needed` is told and refuses nothing.
    """

    name: str
    ok: bool
    detail: str
    fix: str = ""
    needed: bool = True

    @property
    def state(self) -> str:
        """In one word: `ok`, `note`, or `FAIL`."""
        if self.ok:
            return "ok"
        return "FAIL" if self.needed else "note"


def look(chosen: Chosen[S], checks: Sequence[Check[S]]) -> tuple[Finding, ...]:
    """What these checks find, in their order; else why none could be made."""
    try:
        settings = chosen()
    except OptionFault as fault:
        return (Finding("settings", False, str(fault), CORRECT),)
    return tuple(finding for check in checks for finding in check(settings))


def fit(findings: Sequence[Finding]) -> bool:
    """Whether all that is needed is well."""
    return all(each.ok or not each.needed for each in findings)


def table(findings: Sequence[Finding]) -> Table:
    """One row each; what to do stands under what was found."""
    shown = Table("", "what", "found", box=SIMPLE_HEAD, pad_edge=False)
    for each in findings:
        found = Text(each.detail, overflow="fold")
        if each.state == "FAIL":
            found.append(f"\n-> {each.fix}", style="bold")
        state = Text(each.state, style=STYLES[each.state])
        shown.add_row(state, each.name, found)
    return shown


def report(
    findings: Sequence[Finding], deed: str, *, as_json: bool = False
) -> int:
    """Tell the findings on standard output; the exit code, 1 for unfit.

    `deed` is what the machine can do if it is fit: "judge", "take part".
    """
    well = fit(findings)
    if as_json:
        checks = [asdict(each) | {"state": each.state} for each in findings]
        sys.stdout.write(json.dumps({"fit": well, "checks": checks}) + "\n")
        return 0 if well else 1
    width = None if sys.stdout.isatty() else PIPED_WIDTH
    console = Console(width=width, highlight=False)
    console.print(table(findings))
    console.print(
        f"This machine can {deed}."
        if well
        else f"This machine cannot {deed} yet: see what is marked FAIL."
    )
    return 0 if well else 1
