"""Measurements as a page of Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from .measuring import Limits, Measure, limits_of
from .records import Record
from .rows import (
    DELTA,
    DELTA_NET,
    DELTA_NET_SPLIT,
    DELTA_SPLIT,
    JUDGED,
    KINDS,
    LAYER,
    LONGEST,
    OURS,
    Row,
)

HEADS, HEAD_DIM, CHUNK = 8, 64, 32
# (ours, the peers of which the best counts)
CLAIMS = (
    (Row("forward", OURS, LONGEST), (DELTA, DELTA_SPLIT)),
    (Row("forward", OURS, JUDGED), (DELTA, DELTA_SPLIT)),
    (Row("both", OURS, JUDGED), (DELTA,)),
    (Row("layer", LAYER, LONGEST), (DELTA_NET, DELTA_NET_SPLIT)),
    (Row("training", LAYER, JUDGED), (DELTA_NET,)),
)
TIMED = ("forward", "both", "layer", "training")
COMMAND = "make bench-kernels"


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


def page(records: Sequence[Record]) -> str:
    """The whole page, of records of one setting."""
    measures = [each.measure for each in records]
    runs = sorted({each.run for each in records})
    opening = (
        f"{records[0].setting}. `{COMMAND}`, {len(runs)} run(s) from"
        f" {runs[0]} to {runs[-1]}; medians of 10 after 3 warm-ups, by device"
        " events; bfloat16, batch 1, 8 heads of 64. Peak memory is what a"
        " call allocates beyond its arguments. Peers tune themselves on"
        " their first call; those marked * chose from at most 4"
        " configurations of each kernel. Rows that are not here were not"
        " measured."
    )
    plot = "![tokens per second over length, and the roofline](kernels.svg)"
    parts = ["# Kernels, measured", opening, plot, "## Side by side"]
    parts.append(_claims(records))
    for kind in TIMED:
        parts += [f"## {KINDS[kind]}", _times(records, kind)]
    for kind in ("kernel", "profile"):
        parts += [f"## {KINDS[kind]}", _breakdowns(measures, kind)]
    parts += ["## Against the card", _roofline(measures)]
    parts += [f"## {KINDS['accuracy']}", _errors(measures)]
    return "\n\n".join(parts) + "\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return "Not measured yet."
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _claims(records: Sequence[Record]) -> str:
    """Ours over the best of the rest, and whether one run has both."""
    found = {each.row: each for each in records if each.measure.milliseconds}
    rows: list[list[str]] = []
    for ours, names in CLAIMS:
        peers = [
            found[Row(ours.kind, name, ours.tokens)]
            for name in names
            if Row(ours.kind, name, ours.tokens) in found
        ]
        if ours not in found or not peers:
            continue
        mine = found[ours]
        best = min(peers, key=lambda x: x.measure.milliseconds or 0.0)
        mine_ms = mine.measure.milliseconds or 0.0
        best_ms = best.measure.milliseconds or 0.0
        rows.append(
            [
                f"{KINDS[ours.kind]}, {ours.tokens:,}",
                f"{mine_ms:.3f}",
                f"{best_ms:.3f} ({best.measure.name})",
                f"{best_ms / mine_ms:.2f}x",
                "yes" if mine.run == best.run else "no",
            ]
        )
    return _table(["what", "ours, ms", "best peer, ms", "", "one run"], rows)


def _times(records: Sequence[Record], kind: str) -> str:
    of_kind = {
        (x.measure.name, x.measure.tokens): x
        for x in records
        if x.measure.kind == kind
    }
    lengths = sorted({tokens for _, tokens in of_kind})
    names = list(dict.fromkeys(name for name, _ in of_kind))
    rows = [
        [_marked(name, of_kind), *(_cell(of_kind, name, t) for t in lengths)]
        for name in names
    ]
    return _table(["milliseconds (peak)", *(f"{t:,}" for t in lengths)], rows)


def _marked(name: str, found: dict[tuple[str, int], Record]) -> str:
    is_brief = any(
        x.tuning != "full" for (n, _), x in found.items() if n == name
    )
    return f"{name} *" if is_brief else name


def _cell(found: dict[tuple[str, int], Record], name: str, tokens: int) -> str:
    record = found.get((name, tokens))
    return cell(record.measure if record else None)


def cell(x: Measure | None) -> str:
    """One cell: milliseconds and peak, or errors, or why there are none."""
    if x is None:
        return "-"
    if x.kind == "accuracy" and x.parts:
        return ", ".join(f"{name} {e:.2e}" for name, e in x.parts.items())
    if x.milliseconds is None:
        return x.failure
    if x.peak_bytes is None:
        return f"{x.milliseconds:.3f}"
    return f"{x.milliseconds:.3f} ({x.peak_bytes / 1e9:.2f} GB)"


def _breakdowns(measures: Sequence[Measure], kind: str) -> str:
    """A table of parts for each measurement of `kind`."""
    tables: list[str] = []
    for x in measures:
        if x.kind != kind or not x.parts:
            continue
        total = x.milliseconds or sum(x.parts.values())
        rows = [
            [name, f"{spent:.3f}", f"{spent / total:.0%}"]
            for name, spent in x.parts.items()
        ]
        head = [f"{x.name}, {x.tokens:,} tokens", "milliseconds", "share"]
        tables.append(_table(head, rows))
    return "\n\n".join(tables) or "Not measured yet."


def reached(measures: Sequence[Measure]) -> list[tuple[int, float, float]]:
    """(tokens, bytes per second, FLOP/s) of our forward at each length."""
    return [
        (
            x.tokens,
            moved_bytes(x.tokens) / x.milliseconds * 1000,
            operations(x.tokens) / x.milliseconds * 1000,
        )
        for x in sorted(measures, key=lambda x: x.tokens)
        if x.kind == "forward" and x.name == OURS and x.milliseconds
    ]


def _roofline(measures: Sequence[Measure]) -> str:
    limits = limits_of(measures)
    if limits is None:
        return "Not measured yet."
    return (
        f"The card copies {limits.copied / 1e12:.2f} TB/s (read + write) and"
        f" multiplies {limits.multiplied / 1e12:.0f} TFLOP/s in bfloat16."
        f" `{OURS}`, counting what its kernels move (8.5 tensors of the size"
        " of q) and multiply:\n\n" + _under_the_roof(measures, limits)
    )


def _under_the_roof(measures: Sequence[Measure], limits: Limits) -> str:
    rows = [
        [
            f"{tokens:,}",
            f"{moved / 1e12:.2f} ({moved / limits.copied:.0%})",
            f"{made / 1e12:.0f} ({made / limits.multiplied:.0%})",
        ]
        for tokens, moved, made in reached(measures)
    ]
    return _table(["tokens", "TB/s (of copy)", "TFLOP/s (of product)"], rows)


def _errors(measures: Sequence[Measure]) -> str:
    rows = [
        [
            x.name,
            f"{x.tokens:,}",
            *(
                f"{x.parts[name]:.2e}" if name in x.parts else "-"
                for name in ("ours", DELTA)
            ),
        ]
        for x in measures
        if x.kind == "accuracy"
    ]
    return (
        "Against float64, ||o - o*|| / max(||o*||, 0.05 x the head's rms"
        " row norm), causal:\n\n"
        + _table(["inputs", "tokens", "ours", DELTA], rows)
    )
