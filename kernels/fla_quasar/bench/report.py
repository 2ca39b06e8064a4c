"""Measurements as a page of Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .accuracy import Accuracy
from .measuring import Limits, Measure
from .peers import HEAD_DIM, HEADS

KINDS = {
    "forward": "Operators, forward",
    "both": "Operators, forward and backward",
    "layer": "Layers of hidden size 512, forward",
    "kernel": "Our kernels one by one",
}
OURS = "chunk_quasar interleaved"
CHUNK = 32


@dataclass(frozen=True)
class Result:
    """All of one run; `setting` names device, versions and date."""

    setting: str
    limits: Limits
    measures: Sequence[Measure]
    accuracies: Sequence[Accuracy]

    @property
    def lengths(self) -> list[int]:
        """Every length that was measured, ascending."""
        return sorted({x.tokens for x in self.measures})


def moved_bytes(tokens: int) -> int:
    """What the forward kernels move: 8.5 tensors of the size of q.

    The solver reads k and writes G, half as large; the maps read k, v, G;
    the replay reads q, k, v, G and writes o.
    """
    return int(8.5 * tokens * HEADS * HEAD_DIM * 2)


def operations(tokens: int) -> int:
    """What the forward kernels multiply and add, in bfloat16 products."""
    solve = 2 * CHUNK * HEAD_DIM
    maps = 8 * HEAD_DIM**2 + 6 * HEAD_DIM * CHUNK
    replay = 6 * HEAD_DIM**2 + 8 * HEAD_DIM * CHUNK
    return tokens * HEADS * (solve + maps + replay)


def page(result: Result, command: str) -> str:
    """The whole page."""
    limits = result.limits
    opening = (
        f"{result.setting}. One run of `{command}`; medians of 10 after 3"
        " warm-ups, by device events; bfloat16, batch 1, 8 heads of 64."
        f" The card copies {limits.copied / 1e12:.2f} TB/s (read + write)"
        f" and multiplies {limits.multiplied / 1e12:.0f} TFLOP/s in"
        " bfloat16. Peak memory is what a call allocates beyond its"
        " arguments."
    )
    plot = "![tokens per second over length, and the roofline](kernels.svg)"
    parts = ["# Kernels, measured", opening, plot]
    for kind, title in KINDS.items():
        parts += [f"## {title}", _times(result, kind)]
    parts += ["## Against the card", _roofline(result)]
    parts += ["## The worst token's error", _errors(result.accuracies)]
    return "\n\n".join(parts) + "\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _times(result: Result, kind: str) -> str:
    of_kind = {
        (x.name, x.tokens): x for x in result.measures if x.kind == kind
    }
    # in the order of the first length, later ones may have fewer
    names = list(dict.fromkeys(name for name, _ in of_kind))
    rows = [
        [name, *(cell(of_kind.get((name, t))) for t in result.lengths)]
        for name in names
    ]
    return _table(
        ["milliseconds (peak)", *(f"{t:,}" for t in result.lengths)], rows
    )


def cell(x: Measure | None) -> str:
    """One cell: milliseconds and peak, or why not."""
    if x is None:
        return "-"
    if x.milliseconds is None or x.peak_bytes is None:
        return x.failure
    return f"{x.milliseconds:.3f} ({x.peak_bytes / 1e9:.2f} GB)"


def reached(result: Result) -> list[tuple[int, float, float]]:
    """(tokens, bytes per second, FLOP/s) of our forward at each length."""
    return [
        (
            x.tokens,
            moved_bytes(x.tokens) / x.milliseconds * 1000,
            operations(x.tokens) / x.milliseconds * 1000,
        )
        for x in result.measures
        if x.kind == "forward" and x.name == OURS and x.milliseconds
    ]


def _roofline(result: Result) -> str:
    limits = result.limits
    rows = [
        [
            f"{tokens:,}",
            f"{moved / 1e12:.2f} ({moved / limits.copied:.0%})",
            f"{made / 1e12:.0f} ({made / limits.multiplied:.0%})",
        ]
        for tokens, moved, made in reached(result)
    ]
    return (
        f"`{OURS}`, counting what its kernels move (8.5 tensors of the size"
        " of q) and multiply:\n\n"
        + _table(["tokens", "TB/s (of copy)", "TFLOP/s (of product)"], rows)
    )


def _errors(accuracies: Sequence[Accuracy]) -> str:
    rows = [
        [
            x.family,
            f"{x.tokens:,}",
            f"{x.ours:.2e}",
            "-" if x.peer is None else f"{x.peer:.2e}",
        ]
        for x in accuracies
    ]
    return (
        "Against float64, ||o - o*|| / max(||o*||, 0.05 x the head's rms"
        " row norm), causal:\n\n"
        + _table(["inputs", "tokens", "ours", "fla chunk_delta_rule"], rows)
    )
