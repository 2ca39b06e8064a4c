"""The demo's last words: board, rejections, standings, weights, verdict."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from deploy.local.demo import Ending
from deploy.local.picture import (
    leaderboard_table,
    rejections_table,
    standings_table,
)
from deploy.local.screen import Screen


def describe(ending: Ending, screen: Screen) -> None:
    """Print how the demo ended."""
    names = {one.view.hotkey: one.kind.name for one in ending.played}
    screen.report(
        leaderboard_table(ending.board, names),
        rejections_table(ending.played),
        standings_table(ending.standings, names, ending.weights),
        _pace(ending),
        _judgement(ending),
    )


def _pace(ending: Ending) -> RenderableType:
    parts = (
        f"{name.removesuffix('_seconds')} {seconds:.0f} s"
        for name, seconds in ending.timings.items()
    )
    return Text(", ".join(parts), style="dim")


def _judgement(ending: Ending) -> RenderableType:
    if not ending.injustices:
        return Text("Every miner got the verdict he deserves.", style="green")
    lines = "\n".join(f"  {fault}" for fault in ending.injustices)
    return Text(f"Not every verdict is just:\n{lines}", style="bold red")
