"""Running a fault: broken once, mended, and the books looked at."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from deploy.local.pool.books import books_of
from tests.faults.arena import Arena
from tests.faults.scenarios import Broken, Fault


@dataclass(frozen=True)
class Outcome:
    """One run of one fault."""

    name: str
    submissions: int
    lost: int
    duplicated: int
    seconds: float
    """From the strike until every submission had its end."""


@dataclass(frozen=True)
class Row:
    """All runs of one fault."""

    fault: str
    runs: int
    submissions: int
    lost: int
    duplicated: int
    seconds: float
    """The slowest recovery."""


def run(fault: Fault, arena: Arena) -> Outcome:
    """Break it once, and see what became of what was accepted."""
    broken = fault.strike(arena)
    arena.await_ends(broken.ids, set(broken.ends.values()))
    seconds = time.monotonic() - arena.struck_at
    lost, duplicated = _wrong(arena, broken)
    return Outcome(
        fault.name, len(broken.ids), lost, duplicated, round(seconds, 1)
    )


def _wrong(arena: Arena, broken: Broken) -> tuple[int, int]:
    lost: set[object] = set()
    duplicated: set[object] = set()
    for end in set(broken.ends.values()):
        ids = [one for one in broken.ids if broken.ends[one] is end]
        with arena.platform.database.read() as session:
            books = books_of(session, ids, (end,))
        lost |= books.lost
        duplicated |= books.duplicated
    return len(lost), len(duplicated)


def rows(outcomes: Iterable[Outcome]) -> list[Row]:
    """The outcomes by fault, in the order in which they were run."""
    by_name: dict[str, list[Outcome]] = {}
    for one in outcomes:
        by_name.setdefault(one.name, []).append(one)
    return [
        Row(
            fault=name,
            runs=len(ones),
            submissions=sum(one.submissions for one in ones),
            lost=sum(one.lost for one in ones),
            duplicated=sum(one.duplicated for one in ones),
            seconds=max(one.seconds for one in ones),
        )
        for name, ones in by_name.items()
    ]


def table(found: Sequence[Row]) -> list[str]:
    """The rows as a table of Markdown, with their sum."""
    lines = [
        "| fault | runs | submissions | lost | duplicated | seconds |",
        "| --- | --- | --- | --- | --- | --- |",
        *(
            f"| {r.fault} | {r.runs} | {r.submissions} | {r.lost} |"
            f" {r.duplicated} | {r.seconds} |"
            for r in found
        ),
    ]
    total = [
        sum(getattr(r, name) for r in found)
        for name in ("runs", "submissions", "lost", "duplicated")
    ]
    return [*lines, f"| all | {' | '.join(map(str, total))} | |"]


def right(found: Sequence[Row]) -> bool:
    """Whether nothing was lost or duplicated."""
    return not any(row.lost or row.duplicated for row in found)


def as_dict(found: Sequence[Row], skipped: Sequence[str]) -> dict[str, Any]:
    """What `--json` prints."""
    return {"faults": [asdict(r) for r in found], "skipped": list(skipped)}
