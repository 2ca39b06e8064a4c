"""The plot, as SVG: tokens per second over length, and the roofline."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import log10

from .measuring import Limits, Measure, limits_of
from .records import Record
from .report import moved_bytes, operations, reached

WIDTH, HEIGHT, MARGIN = 460, 340, 60
COLOURS = ("#0b6e4f", "#3fa34d", "#b3541e", "#e09f3e", "#5e548e", "#9f86c0")
Point = tuple[float, float]


class Panel:
    """One pair of logarithmic axes, `left` pixels from the picture's edge."""

    def __init__(
        self, left: int, across: Point, up: Point, labels: tuple[str, str]
    ) -> None:
        self.left, self.across, self.up = left, across, up
        self.parts: list[str] = []
        x, y = left + MARGIN, MARGIN // 2
        self.parts.append(
            f'<rect x="{x}" y="{y}" width="{WIDTH - 2 * MARGIN}"'
            f' height="{HEIGHT - 3 * MARGIN // 2}" fill="none"'
            ' stroke="#888"/>'
        )
        middle = left + WIDTH / 2
        self._text((middle, HEIGHT - 22), labels[0], "middle")
        self._text((left + 8, 18), labels[1], "start")
        self._ticks()

    def place(self, point: Point) -> Point:
        """Where a value lies in the picture."""
        x = _share(point[0], self.across)
        y = _share(point[1], self.up)
        return (
            self.left + MARGIN + x * (WIDTH - 2 * MARGIN),
            HEIGHT - MARGIN - y * (HEIGHT - 3 * MARGIN / 2),
        )

    def line(self, points: Sequence[Point], colour: str, dots: float) -> None:
        """A line through `points`, with dots of that radius."""
        placed = [self.place(point) for point in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        self.parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}"'
            ' stroke-width="2"/>'
        )
        if dots:
            self.parts += [
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{dots}"'
                f' fill="{colour}"/>'
                for x, y in placed
            ]

    def _ticks(self) -> None:
        for axis, span in enumerate((self.across, self.up)):
            power = 10.0 ** int(log10(span[0]) + 0.999)
            while power <= span[1]:
                at = (power, self.up[0]) if axis == 0 else (self.across[0], 0)
                x, y = self.place((at[0], power if axis else at[1]))
                place = (x - 6, y + 4) if axis else (x, y + 16)
                anchor = "end" if axis else "middle"
                self._text(place, f"{power:g}", anchor)
                power *= 10

    def _text(self, place: Point, words: str, anchor: str) -> None:
        self.parts.append(
            f'<text x="{place[0]:.1f}" y="{place[1]:.1f}" font-size="11"'
            f' text-anchor="{anchor}">{escape(words)}</text>'
        )


def _share(value: float, span: Point) -> float:
    low, high = log10(span[0]), log10(span[1])
    return (log10(value) - low) / (high - low)


def picture(records: Sequence[Record]) -> str:
    """The SVG of records of one setting, empty axes where there are none."""
    measures = [each.measure for each in records]
    lines = _speeds(measures)
    values = [y for points in lines.values() for _, y in points] or [1.0]
    lengths = [x for points in lines.values() for x, _ in points] or [1e4]
    speed = Panel(
        0,
        (min(lengths) / 1.3, max(lengths) * 1.3),
        (min(values) / 2, max(values) * 2),
        ("tokens", "forward, million tokens per second"),
    )
    legend: list[str] = []
    for i, (name, points) in enumerate(lines.items()):
        colour = COLOURS[i % len(COLOURS)]
        speed.line(points, colour, 3)
        x, y = 20 + i % 3 * 300, HEIGHT + 14 + i // 3 * 18
        legend.append(
            f'<circle cx="{x}" cy="{y - 4}" r="4" fill="{colour}"/>'
            f'<text x="{x + 10}" y="{y}" font-size="11">{escape(name)}</text>'
        )
    opening = (
        '<svg xmlns="http://www.w3.org/2000/svg" font-family="sans-serif"'
        f' viewBox="0 0 {2 * WIDTH} {HEIGHT + 60}">'
    )
    return "\n".join(
        [
            opening,
            '<rect width="100%" height="100%" fill="white"/>',
            *speed.parts,
            *_roof(measures),
            *legend,
            "</svg>\n",
        ]
    )


def _speeds(measures: Sequence[Measure]) -> dict[str, list[Point]]:
    lines: dict[str, list[Point]] = {}
    for x in sorted(measures, key=lambda x: x.tokens):
        if x.kind == "forward" and x.tokens_per_second:
            point = (float(x.tokens), x.tokens_per_second / 1e6)
            lines.setdefault(x.name, []).append(point)
    return lines


def _roof(measures: Sequence[Measure]) -> list[str]:
    """The parts of the second panel, none where limits are not known."""
    limits = limits_of(measures)
    return [] if limits is None else _roof_of(measures, limits).parts


def _roof_of(measures: Sequence[Measure], limits: Limits) -> Panel:
    ridge = limits.multiplied / limits.copied
    top = limits.multiplied / 1e12
    panel = Panel(
        WIDTH,
        (1.0, 10 * ridge),
        (1.0, 3 * top),
        ("operations per byte", "TFLOP/s, chunk_quasar under the roof"),
    )
    roof = [(1.0, max(top / ridge, 1.0)), (ridge, top), (10 * ridge, top)]
    panel.line(roof, "#444", 0)
    intensity = operations(1) / moved_bytes(1)
    under = [(intensity, made / 1e12) for _, _, made in reached(measures)]
    panel.line([(x, max(y, 1.0)) for x, y in under], COLOURS[0], 4)
    return panel
