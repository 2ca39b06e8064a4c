"""`python -m fla_quasar.bench.worker`: rows in, records out, one by one."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path

from .records import Record, append
from .report import cell
from .rows import Row
from .running import run
from .supervising import DONE, FAILED


def main() -> int:
    """Measure every row that standard input has, a JSON object a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("record", type=Path)
    parser.add_argument("run")
    parser.add_argument("setting")
    wanted = parser.parse_args()
    answer(sys.stdin, wanted.record, wanted.run, wanted.setting)
    return 0


def answer(lines: Iterable[str], path: Path, name: str, setting: str) -> None:
    """Record each row, and say so when its record is on the disk."""
    for line in lines:
        row = Row(**json.loads(line))
        measured = run(row)
        tuning = "brief" if row.is_tuned_briefly else "full"
        append(path, Record(measured, name, setting, tuning))
        word = FAILED if measured.failure.startswith("failed") else DONE
        sys.stdout.write(f"{row.key:60} {cell(measured)}\n{word}{row.key}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
