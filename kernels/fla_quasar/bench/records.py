"""What was measured, one JSON object a line, written as it is found."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from .measuring import Measure
from .rows import Row

# A row that was stopped is tried again after the others, this often.
TRIES = 2
STOPPED = "stopped"


@dataclass(frozen=True)
class Record:
    """A measurement, the run it is of, and on what it was made.

    Rows of one `run` were made side by side; `setting` names card and
    versions; `tuning` says how far a peer was let tune itself.
    """

    measure: Measure
    run: str
    setting: str
    tuning: str = "full"

    @property
    def row(self) -> Row:
        """What it is a measurement of."""
        return Row(self.measure.kind, self.measure.name, self.measure.tokens)

    @property
    def is_stopped(self) -> bool:
        """Whether it ended before it was measured."""
        return self.measure.failure.startswith(STOPPED)


def append(path: Path, record: Record) -> None:
    """Add a line; what is in the file stays whatever happens."""
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(asdict(record), sort_keys=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def read(path: Path) -> list[Record]:
    """All whole lines; the last may be torn by a stop."""
    if not path.exists():
        return []
    records: list[Record] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            fields = json.loads(line)
        except json.JSONDecodeError:
            continue
        measure = Measure(**fields.pop("measure"))
        records.append(Record(measure, **fields))
    return records


def of_setting(records: Iterable[Record], setting: str) -> list[Record]:
    """Those made on `setting`; other cards are other tables."""
    return [each for each in records if each.setting == setting]


def remaining(rows: Sequence[Row], records: Sequence[Record]) -> list[Row]:
    """The rows without an answer: those never tried, then the stopped."""
    answered = {each.row for each in records if not each.is_stopped}
    stops = [each.row for each in records if each.is_stopped]
    fresh = [row for row in rows if row not in answered and row not in stops]
    again = [
        row
        for row in rows
        if row not in answered and 0 < stops.count(row) < TRIES
    ]
    return fresh + again


def latest(records: Iterable[Record]) -> list[Record]:
    """The last answer of each row, a stop only where there is no other.

    In the order in which rows were first answered.
    """
    found: dict[Row, Record] = {}
    for each in records:
        known = found.get(each.row)
        if known is None or known.is_stopped or not each.is_stopped:
            found[each.row] = each
    return list(found.values())


def stopped(row: Row, why: str, run: str, setting: str) -> Record:
    """That `row` ended before it was measured, and why."""
    measure = Measure(row.kind, row.name, row.tokens)
    measure = replace(measure, failure=f"{STOPPED}: {why}")
    return Record(measure, run, setting)
