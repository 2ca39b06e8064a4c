"""The board of canaries, for people: a table of workers and a sum."""

from __future__ import annotations

from collections.abc import Iterator

from quasar_core.client.api import QuasarClient
from quasar_core.contracts.http import CanaryBoard, CanaryTally, WorkerCanaries

HEAD = ("worker", "role", "pool", "cheats caught", "honest passed", "last")


def board_at(api_url: str, days: int) -> CanaryBoard:
    """The whole board, all pages of it; raises as QuasarClient does."""
    with QuasarClient(api_url) as client:
        board = client.canaries(days=days)
        workers, cursor = [*board.workers], board.next_cursor
        while cursor is not None:
            page = client.canaries(days=days, cursor=cursor)
            workers += page.workers
            cursor = page.next_cursor
    return board.model_copy(
        update={"workers": tuple(workers), "next_cursor": None}
    )


def as_lines(board: CanaryBoard) -> Iterator[str]:
    """A row for each worker, what is wrong below it, and the sums."""
    rows = [HEAD, *(_row(worker) for worker in board.workers)]
    widths = [
        max(len(cell) for cell in column) for column in zip(*rows, strict=True)
    ]
    for number, row in enumerate(rows):
        cells = (
            cell.ljust(width) for cell, width in zip(row, widths, strict=True)
        )
        yield "  ".join(cells).rstrip()
        if number:
            yield from _wrong(board.workers[number - 1])
    yield (
        f"{board.days} days: cheats caught {_of(board.cheats_caught)},"
        f" honest passed {_of(board.honest_passed)}"
    )


def _row(worker: WorkerCanaries) -> tuple[str, ...]:
    last = max((run.ran_at for run in worker.last_runs), default=None)
    return (
        worker.worker,
        worker.role,
        worker.pool,
        _of(worker.cheats_caught),
        _of(worker.honest_passed),
        "never" if last is None else f"{last:%Y-%m-%d %H:%M} UTC",
    )


def _wrong(worker: WorkerCanaries) -> Iterator[str]:
    for run in worker.last_runs:
        if not run.right:
            yield (
                f"  WRONG: {run.canary.value} had to be {run.expected},"
                f" and was {run.got}"
            )


def _of(tally: CanaryTally) -> str:
    return f"{tally.right} of {tally.runs}"
