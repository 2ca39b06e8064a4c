"""`python -m fla_quasar.bench`: time, compare, write a page and a plot."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

LENGTHS = (4096, 16_384, 100_000, 300_000, 1_000_000)
ACCURATE_AT = (4096, 65_536)


def main() -> int:
    """Exit status 0, on a machine without a CUDA device too."""
    parser = argparse.ArgumentParser(
        prog="python -m fla_quasar.bench", description=__doc__
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("docs/benchmarks"),
        help="the folder for kernels.md and kernels.svg (%(default)s)",
    )
    parser.add_argument(
        "--lengths", type=int, nargs="+", default=LENGTHS, metavar="T"
    )
    parser.add_argument(
        "--impatient",
        action="store_true",
        help="leave out the peers whose backward pass tunes for minutes",
    )
    wanted = parser.parse_args()
    if not torch.cuda.is_available():
        sys.stdout.write(
            "There is no CUDA device here, and kernels are timed on one:"
            " nothing was measured.\n"
        )
        return 0
    _measure_all(
        wanted.out, tuple(wanted.lengths), patient=not wanted.impatient
    )
    return 0


def _measure_all(
    out: Path, lengths: tuple[int, ...], *, patient: bool
) -> None:
    """Write what there is after every length: a stop loses little."""
    from .accuracy import compare
    from .measuring import Measure, limits
    from .plot import picture
    from .report import Result, cell, page
    from .running import run_all

    torch.manual_seed(0)
    card = limits()
    accuracies = list(compare(ACCURATE_AT))
    measures: list[Measure] = []
    out.mkdir(parents=True, exist_ok=True)
    command = "make bench-kernels" + ("" if patient else " ARGS=--impatient")
    for tokens in lengths:
        for measured in run_all((tokens,), patient=patient):
            measures.append(measured)
            sys.stdout.write(
                f"{measured.kind:8} {tokens:>9,} {measured.name:32}"
                f" {cell(measured)}\n"
            )
            sys.stdout.flush()
        result = Result(_setting(), card, measures, accuracies)
        (out / "kernels.md").write_text(page(result, command))
        (out / "kernels.svg").write_text(picture(result))
    sys.stdout.write(f"wrote {out / 'kernels.md'} and kernels.svg\n")


def _setting() -> str:
    names = ("torch", "triton", "fla-core", "flash-linear-attention")
    versions = ", ".join(f"{name} {_version(name)}" for name in names)
    today = datetime.now(tz=UTC).date().isoformat()
    return f"{torch.cuda.get_device_name()}; {versions}; {today}"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


if __name__ == "__main__":
    sys.exit(main())
