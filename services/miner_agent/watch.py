"""Following a submission: each move as it happens, until it is at rest."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

import typer
from quasar_core.client.answers import ProblemAnswer
from quasar_core.client.api import QuasarClient
from quasar_core.contracts.http import SubmissionMove, SubmissionView
from quasar_core.domain.submissions import TERMINAL, Status
from quasar_core.errors import Stage
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from services.miner_agent.explain import explained

POLL_SECONDS = 1.0


@dataclass(frozen=True)
class Step:
    """A submission as it stands, and the move that was just heard."""

    view: SubmissionView
    move: SubmissionMove | None


def at_rest(view: SubmissionView) -> bool:
    """Whether the submission moves no more by itself."""
    return Status(view.status) in TERMINAL


def follow(
    client: QuasarClient,
    submission_id: UUID,
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[Step]:
    """The submission now, after each move, and last of all at rest.

    Where the API gives no stream just now, it is asked again each second.
    """
    view = client.submission(submission_id)
    yield Step(view, None)
    heard: int | None = None
    while not at_rest(view):
        try:
            for move in client.events(submission_id, heard):
                heard = move.sequence
                view = client.submission(submission_id)
                yield Step(view, move)
                if at_rest(view):
                    return
        except ProblemAnswer as fault:
            if not fault.transient:
                raise
        pause(POLL_SECONDS)
        view = client.submission(submission_id)
        yield Step(view, None)


def watched(
    client: QuasarClient, submission_id: UUID, *, as_json: bool
) -> SubmissionView:
    """Show each step, in a table or line by line; the last view."""
    steps = follow(client, submission_id)
    if sys.stdout.isatty() and not as_json:
        return show_live(steps, Console())
    view = next(steps).view
    for step in steps:
        view = step.view
        line = told(step)
        if as_json and step.move is not None:
            typer.echo(step.move.model_dump_json())
        elif line is not None:
            typer.echo(line)
    return view


def show_live(steps: Iterator[Step], console: Console) -> SubmissionView:
    """A table that follows the steps; the last view. Needs one step."""
    view = next(steps).view
    with Live(_table(view), console=console) as live:
        for step in steps:
            view = step.view
            live.update(_table(view), refresh=True)
    return view


def told(step: Step) -> str | None:
    """A step as one line for a log, or None if there is nothing to tell."""
    move = step.move
    if move is None:
        return None
    at = f"{move.occurred_at:%H:%M:%S}"
    if move.kind == "stage":
        return f"{at} stage {move.stage.value if move.stage else '?'}"
    return f"{at} {move.from_status or 'new'} -> {move.to_status}"


def _table(view: SubmissionView) -> Table:
    table = Table(title=f"submission {view.submission_id}", show_header=False)
    league = f"{view.league} ({view.target_sequence_length})"
    table.add_row("league", league if view.league else "sealed")
    table.add_row("status", escape("\n".join(explained(view))))
    passed = {stage.stage: stage.seconds for stage in view.stages}
    for stage in Stage:
        if stage in passed:
            seconds = passed[stage]
            took = "passed" if seconds is None else f"passed, {seconds:.2f} s"
            table.add_row(stage.value, took)
        elif stage is view.stage:
            table.add_row(stage.value, "running")
    return table
