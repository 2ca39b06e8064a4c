"""The search: one number at a time, up and down, then from somewhere else.

Coordinate descent: from the best kernel, each tunable is taken to its next
values up and down, all others as they are. What is better becomes the best
(the agent decides), and the tunable and direction that paid is tried first
again. Where no single step is better, a few random points around the best
one are tried. The same seed and the same history give the same proposal:
whoever is killed goes on where it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from random import Random

from services.miner_agent.proposers.protocol import Proposal, Situation
from services.miner_agent.proposers.tunables import (
    Tunable,
    find_tunables,
    with_values,
)

RESTARTS = 8
DRAWS = 64
FARTHEST_STEPS = 3

Point = Mapping[str, int]


@dataclass(frozen=True)
class Search:
    """Steps through a kernel's tunables; needs no model and no network.

    `restarts` random points are tried after a best kernel from which no
    step leads on.
    """

    seed: int = 0
    restarts: int = RESTARTS
    name: str = "search"

    def propose(self, situation: Situation) -> Proposal | None:
        """The next point that was not tried yet; None where all were."""
        tunables = find_tunables(situation.files)
        here = {each.key: each.value for each in tunables}
        known = [dict(one.choices) for one in situation.tried if one.choices]
        for point in self._points(tunables, here, known, situation):
            if point != here and point not in known:
                return _proposal(situation, here, point)
        return None

    def _points(
        self,
        tunables: tuple[Tunable, ...],
        here: Point,
        known: list[dict[str, int]],
        situation: Situation,
    ) -> Iterator[dict[str, int]]:
        paid = _what_paid(situation)
        if paid is not None and paid[0] in here:
            key, factor = paid
            yield {**here, key: max(1, round(here[key] * factor))}
        for tunable in tunables:
            for value in tunable.neighbours():
                yield {**here, tunable.key: value}
        if self._restarted(situation) < self.restarts:
            random = Random(f"{self.seed}/{len(known)}")  # noqa: S311
            for _ in range(DRAWS):
                yield _somewhere(random, tunables)

    def _restarted(self, situation: Situation) -> int:
        """How many random points were tried since something was kept."""
        count = 0
        for one in reversed(situation.tried):
            if one.kept:
                break
            count += one.summary.startswith(_SOMEWHERE)
        return count


_SOMEWHERE = "restart: "


def _what_paid(situation: Situation) -> tuple[str, float] | None:
    """The step that led to the newest kept kernel, if it was a single one."""
    points = [dict(one.choices) for one in situation.tried if one.kept]
    if not points or not points[-1]:
        return None
    summary = next(
        one.summary for one in reversed(situation.tried) if one.kept
    )
    key, _, values = summary.partition(" ")
    before, arrow, after = values.partition(" -> ")
    if arrow and before.isdecimal() and after.isdecimal():
        return key, int(after) / int(before)
    return None


def _somewhere(
    random: Random, tunables: tuple[Tunable, ...]
) -> dict[str, int]:
    """A random point: each tunable some steps of its own away, or not."""
    point = {}
    for tunable in tunables:
        moved = tunable
        for _ in range(random.randint(0, FARTHEST_STEPS)):
            value = random.choice(moved.neighbours() or (moved.value,))
            moved = replace(moved, value=value)
        point[tunable.key] = moved.value
    return point


def _proposal(
    situation: Situation, here: Point, point: dict[str, int]
) -> Proposal:
    steps = [
        f"{key} {here[key]} -> {value}"
        for key, value in point.items()
        if value != here[key]
    ]
    start = _SOMEWHERE if len(steps) > 1 else ""
    return Proposal(
        summary=start + ", ".join(steps),
        files=with_values(situation.files, point),
        choices=point,
    )
