"""The demo's screen: a live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from typing import Self

from rich.console import Console, RenderableType
from rich.live import Live

from deploy.local.picture import Picture, doing, live

PIPED_WIDTH = 110


class Screen:
    """Where progress is shown.

    With `machine`, standard output is left to one JSON object and
    everything for people goes to standard error.
    """

    def __init__(self, *, machine: bool = False) -> None:
        file = sys.stderr if machine else sys.stdout
        width = None if file.isatty() else PIPED_WIDTH
        self._console = Console(file=file, width=width, highlight=False)
        self._live: Live | None = None
        self._told: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.freeze()

    def tell(self, line: str) -> None:
        """Say what is being done now."""
        self._console.print(f"· {line}", markup=False)

    def say(self, line: str) -> None:
        """Print a line as it is."""
        self._console.print(line, markup=False, soft_wrap=True)

    def show(self, picture: Picture) -> None:
        """Show the present state: all of it, or only what has changed."""
        if self._console.is_terminal:
            self._refresh(live(picture))
            return
        for one in picture.sent:
            name, now = one.miner.kind.name, doing(picture.summary_of(one))
            if self._told.get(name) != now:
                self._told[name] = now
                self._console.print(f"  {name:<17} {now}", markup=False)

    def freeze(self) -> None:
        """Leave the live table as it is, and go on below it."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def report(self, *parts: RenderableType) -> None:
        """Print what stays on the screen."""
        self.freeze()
        for part in parts:
            self._console.print()
            self._console.print(part)

    def _refresh(self, picture: RenderableType) -> None:
        if self._live is None:
            self._live = Live(
                picture, console=self._console, refresh_per_second=4
            )
            self._live.start()
        self._live.update(picture)
