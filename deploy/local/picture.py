"""A picture of the running demo, as tables for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quasar_core.contracts.http import (
    LeaderboardRow,
    RoundView,
    StandingsRow,
    SubmissionStats,
    SubmissionSummary,
)
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from deploy.local.miners.roster import Sent
from deploy.local.verdicts import Played

COLOURS = {
    "queued": "dim",
    "benchmarking": "cyan",
    "verifying": "blue",
    "scored": "green",
    "rejected": "red",
}


@dataclass(frozen=True)
class Picture:
    """What is known at one moment; `block` is the chain's."""

    sent: Sequence[Sent]
    stats: SubmissionStats
    round_view: RoundView
    block: int
    weights: Mapping[str, float]

    def summary_of(self, one: Sent) -> SubmissionSummary | None:
        """What the API says of that submission, if it lists it."""
        return next(
            (
                row
                for row in self.stats.recent_submissions
                if row.submission_id == one.submission_id
            ),
            None,
        )


def short(hotkey: str) -> str:
    """A hotkey as a person tells it from others."""
    return f"{hotkey[:6]}…{hotkey[-4:]}"


def doing(row: SubmissionSummary | None) -> str:
    """What a submission is doing, or how it ended, in a few words."""
    if row is None:
        return "not yet listed"
    if row.code:
        return f"rejected: {row.code}"
    if row.status == "scored" and row.tokens_per_sec is not None:
        return f"scored: {row.tokens_per_sec:,.0f} tokens/s"
    waiting = row.status in {"benchmarking", "verifying"}
    return (
        f"{row.status}: {row.stage}" if waiting and row.stage else row.status
    )


def live(picture: Picture) -> RenderableType:
    """The demo while it runs."""
    table = Table(expand=True, box=None, padding=(0, 1))
    for column in ("miner", "his kernel", "league", "now"):
        table.add_column(column, no_wrap=column != "his kernel")
    for one in picture.sent:
        row = picture.summary_of(one)
        table.add_row(
            one.miner.kind.name,
            Text(one.miner.kind.story, style="dim"),
            row.league if row else "",
            Text(doing(row), style=COLOURS.get(row.status if row else "", "")),
        )
    return Panel(Group(table, Text(), Text(heading(picture))), title="QUASAR")


def heading(picture: Picture) -> str:
    """Round, block, queue and weights in one line."""
    view = picture.round_view
    names = {
        one.miner.wallet.hotkey: one.miner.kind.name for one in picture.sent
    }
    weights = ", ".join(
        f"{names.get(hotkey, short(hotkey))} {share:.1%}"
        for hotkey, share in picture.weights.items()
    )
    return (
        f"round {view.round_number} {view.status} · block {picture.block},"
        f" closes at {view.closes_at_block} ·"
        f" {picture.stats.queue_depth} waiting · weights on chain:"
        f" {weights or 'none yet'}"
    )


def leaderboard_table(
    rows: Sequence[LeaderboardRow], names: Mapping[str, str]
) -> Table:
    """The overall board; `names` maps hotkeys to the demo's miners."""
    table = Table(title="Leaderboard", title_justify="left")
    for column in ("#", "miner", "league"):
        table.add_column(column)
    for column in (
        "tokens/s",
        "interval",
        "multiplier",
        "score",
        "vs baseline",
    ):
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(
            str(row.place),
            names.get(row.hotkey, short(row.hotkey)),
            row.league,
            f"{row.tokens_per_sec:,.0f}",
            f"{row.tokens_per_sec_low:,.0f}-{row.tokens_per_sec_high:,.0f}",
            f"{row.multiplier:g}",
            f"{row.weighted_score:,.0f}",
            f"{row.speedup_vs_baseline:.2f}x",
        )
    return table


def rejections_table(played: Sequence[Played]) -> Table:
    """Who was turned down, where, and why in plain words."""
    table = Table(title="Rejected", title_justify="left")
    for column in ("miner", "stage", "code", "told to the miner"):
        table.add_column(column, no_wrap=column != "told to the miner")
    for one in played:
        verdict = one.view.verdict
        if verdict is not None:
            rejection = verdict.rejection
            told = "\n".join(
                filter(None, (verdict.sentence, rejection.detail))
            )
            table.add_row(
                one.kind.name,
                rejection.stage.value,
                rejection.code.value,
                told,
            )
    return table


def standings_table(
    rows: Sequence[StandingsRow],
    names: Mapping[str, str],
    weights: Mapping[str, float],
) -> Table:
    """The frozen standings, and what stands on chain for each."""
    table = Table(title="Standings and weights", title_justify="left")
    for column in ("place", "level", "miner", "paid place"):
        table.add_column(column)
    for column in ("share", "on chain"):
        table.add_column(column, justify="right")
    table.add_column("not paid, since")
    for row in rows:
        table.add_row(
            str(row.place),
            str(row.level),
            names.get(row.hotkey, short(row.hotkey)),
            str(row.paid_place or "-"),
            f"{row.share:.2%}",
            f"{weights.get(row.hotkey, 0.0):.2%}",
            row.unpaid_reason or "",
        )
    return table
