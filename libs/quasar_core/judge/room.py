"""The room of one run: where its sandboxes are started, and what one costs."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from quasar_core.execution.sandbox import Sandbox
from quasar_core.judge.ground import Ground
from quasar_core.judge.image import empty_job
from quasar_core.judge.protocol import Ask
from quasar_core.judge.seat import Seat
from quasar_core.judge.seeds import Seeds
from quasar_core.judge.settings import JudgeSettings
from quasar_core.judge.shapes import CallShape, Extent
from quasar_core.judge.stillness import Stillness
from quasar_core.judge.timing import measure_exchange
from quasar_core.judge.trees import kernel_jobs, unblamed

SMOKE_TOKENS = 64
"""The length of the first call of whatever is judged."""

EMPTY_KERNEL = b'''"""Launches something and computes nothing."""


def chunk_quasar(q, k, v, beta, *, out):
    """Take part in an exchange, and no more."""
    out.view(-1)[:1].zero_()
    return out, None
'''
"""On a device, an exchange has it handed over, and something launched."""


@dataclass(frozen=True)
class Room:
    """One run's sandbox, seeds and settings; `folder` is for its trees."""

    sandbox: Sandbox
    seeds: Seeds
    settings: JudgeSettings
    folder: Path
    ground: Ground = field(default_factory=Ground)

    def exchange_cost(self, shape: CallShape) -> float:
        """K for calls of this shape, on a machine where nothing else runs.

        Raises TransientError where even that fails.
        """
        limits, view = self.settings.sandbox_limits, self.ground.view
        if view is None:
            job, ask = partial(empty_job, limits=limits), Ask.NOTHING
        else:
            files = {"__init__.py": EMPTY_KERNEL}
            folder = self.folder / f"empty at {shape.tokens}"
            job = kernel_jobs(folder, files, self.settings, view)
            ask = Ask.CALL
        seat = Seat.take(
            self.sandbox,
            job,
            self.ground.buffers(Extent.of(shape)),
            shape.output_bytes,
            self.seeds.chance("order", 1),
        )
        with seat:
            return unblamed(
                lambda: measure_exchange(
                    seat, shape, self.seeds, self.settings, self.ground, ask
                )
            )

    def stillness(self) -> Stillness:
        """How the device is before any stranger's code has run."""
        return Stillness(self.ground, self.settings.device_memory_bytes)

    def seat(
        self,
        seats: ExitStack,
        name: str,
        files: Mapping[str, bytes],
        extent: Extent,
    ) -> Seat:
        """Start a kernel in a sandbox of its own; it ends with `seats`."""
        return seats.enter_context(
            Seat.take(
                self.sandbox,
                kernel_jobs(
                    self.folder / name,
                    files,
                    self.settings,
                    self.ground.view,
                ),
                self.ground.buffers(extent),
                extent.output_bytes,
                self.seeds.chance(f"order of {name}", 0),
            )
        )
