"""`python -m fla_quasar.bench`: time, compare, write a page and a plot.

Each row is in the record as soon as it is measured; called again, the
command goes on where it stopped. Nothing takes longer than `--minutes`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from .plot import picture
from .records import (
    Record,
    append,
    latest,
    of_setting,
    read,
    remaining,
    stopped,
)
from .report import page
from .rows import LENGTHS, Row, chosen, plan
from .supervising import COMMAND, supervise

RECORD, PAGE, PICTURE = "kernels.jsonl", "kernels.md", "kernels.svg"


def main() -> int:
    """Exit status 0, on a machine without a CUDA device too."""
    wanted = _parser().parse_args()
    rows = chosen(plan(tuple(wanted.lengths)), wanted.only)
    if wanted.list:
        sys.stdout.writelines(f"{row.key}\n" for row in rows)
        return 0
    if wanted.render:
        write(wanted.out)
        return 0
    if not torch.cuda.is_available():
        sys.stdout.write(
            "There is no CUDA device here, and kernels are timed on one:"
            " nothing was measured.\n"
        )
        return 0
    wanted.out.mkdir(parents=True, exist_ok=True)
    measure_all(rows, wanted.out, wanted.minutes * 60, again=wanted.again)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m fla_quasar.bench", description=__doc__
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("docs/benchmarks"),
        help=f"the folder for {RECORD}, {PAGE} and {PICTURE} (%(default)s)",
    )
    parser.add_argument(
        "--minutes",
        type=float,
        default=9.0,
        help="stop after this long; call again to go on (%(default)s)",
    )
    parser.add_argument(
        "--only",
        nargs="+",
        default=(),
        metavar="PART",
        help="rows whose name, as --list prints it, has one of these in it",
    )
    parser.add_argument(
        "--lengths", type=int, nargs="+", default=LENGTHS, metavar="T"
    )
    parser.add_argument(
        "--again",
        action="store_true",
        help="measure rows that have an answer, too: one run side by side",
    )
    parser.add_argument(
        "--list", action="store_true", help="print the rows and stop"
    )
    parser.add_argument(
        "--render",
        action="store_true",
        help="write page and plot from the record; needs no device",
    )
    return parser


def measure_all(
    rows: Sequence[Row], out: Path, seconds: float, *, again: bool = False
) -> None:
    """Go through what is left of `rows`, then write page and plot."""
    record, setting = out / RECORD, _setting()
    known = [] if again else of_setting(read(record), setting)
    left = remaining(rows, known)
    run = datetime.now(tz=UTC).isoformat(timespec="seconds")
    command = (*COMMAND, str(record), run, setting)
    started = 0
    for row, why in supervise(left, seconds, command):
        started += 1
        if why:
            append(record, stopped(row, why, run, setting))
            sys.stdout.write(f"{row.key:60} stopped: {why}\n")
            sys.stdout.flush()
    write(out)
    sys.stdout.write(f"{len(left) - started} of {len(left)} rows are left\n")


def write(out: Path) -> None:
    """Page and plot from the record: of the card that was timed last."""
    records = read(out / RECORD)
    if not records:
        sys.stdout.write(f"{out / RECORD} has no measurements yet\n")
        return
    found: list[Record] = latest(of_setting(records, records[-1].setting))
    (out / PAGE).write_text(page(found), encoding="utf-8")
    (out / PICTURE).write_text(picture(found), encoding="utf-8")
    sys.stdout.write(f"wrote {out / PAGE} and {out / PICTURE}\n")


def _setting() -> str:
    names = ("torch", "triton", "fla-core", "flash-linear-attention")
    versions = ", ".join(f"{name} {_version(name)}" for name in names)
    return f"{torch.cuda.get_device_name()}; {versions}"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


if __name__ == "__main__":
    sys.exit(main())
