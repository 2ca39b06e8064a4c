"""Progress: what a judging tells while it runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pydantic import BaseModel, ConfigDict

from quasar_core.contracts.values import Evidence
from quasar_core.errors import Stage


class Progress(BaseModel):
    """A stage began (`seconds` is None), or was passed in `seconds`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: Stage
    seconds: float | None = None
    detail: Evidence = {}

    @property
    def finished(self) -> bool:
        """Whether the stage was passed."""
        return self.seconds is not None


Listener = Callable[[Progress], None]


def unheard(_: Progress) -> None:
    """Nobody follows this."""


@contextmanager
def told(stage: Stage, progress: Listener) -> Iterator[Evidence]:
    """Tell that a stage begins, and, if nothing is raised, that it passed.

    What is put into the yielded dict is told with it.
    """
    progress(Progress(stage=stage))
    detail: Evidence = {}
    started = time.monotonic()
    yield detail
    seconds = time.monotonic() - started
    progress(Progress(stage=stage, seconds=seconds, detail=detail))
