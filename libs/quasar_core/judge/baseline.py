"""The trusted kernel's own time on a machine, before its first job."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

import torch

from quasar_core.domain.workload import judged_length
from quasar_core.errors import Stage
from quasar_core.execution.sandbox import Sandbox
from quasar_core.judge.exchange import private_memory
from quasar_core.judge.faults import Patience
from quasar_core.judge.inputs import draw_inputs
from quasar_core.judge.jobs import BaselineReport
from quasar_core.judge.manifest import environment
from quasar_core.judge.pinned import baseline_files
from quasar_core.judge.room import Room
from quasar_core.judge.seeds import Seeds
from quasar_core.judge.settings import JudgeSettings
from quasar_core.judge.shapes import CallShape
from quasar_core.judge.table import Table
from quasar_core.judge.timing import charged
from quasar_core.judge.trees import unblamed
from quasar_core.judge.turns import own_turn


def measure_baseline(
    target_sequence_length: int,
    *,
    run_id: str,
    settings: JudgeSettings,
    sandbox: Sandbox,
    scratch: Path | None = None,
) -> BaselineReport:
    """Samples of the trusted kernel, taken as a submission's are.

    Raises TransientError where it fails: that is nobody's submission.
    """
    torch.set_num_threads(settings.num_threads)
    tokens = judged_length(target_sequence_length)
    shape = CallShape(
        tokens, heads=settings.num_heads, head_dim=settings.head_dim
    )
    seeds = Seeds.fresh(run_id)
    sandbox.preflight()
    with (
        own_turn(settings),
        tempfile.TemporaryDirectory(
            prefix="quasar-judge-", dir=scratch
        ) as folder,
    ):
        samples = unblamed(
            lambda: _samples(Path(folder), shape, seeds, settings, sandbox)
        )
    return BaselineReport(
        sequence_length=tokens,
        samples=samples,
        environment={
            **environment(),
            "num_threads": str(settings.num_threads),
            "judge": settings.published(),
        },
    )


def _samples(
    folder: Path,
    shape: CallShape,
    seeds: Seeds,
    settings: JudgeSettings,
    sandbox: Sandbox,
) -> tuple[float, ...]:
    room = Room(sandbox, seeds, settings, folder)
    overhead = room.exchange_cost(shape)
    size = shape.output_bytes
    with ExitStack() as seats:
        seat = room.seat(seats, "baseline", baseline_files(), size)
        table = Table(seat, seeds, private_memory(size))
        patience = Patience(settings.limits.seconds(Stage.WARM_UP))
        seat.ready(patience)
        first = draw_inputs(seeds, "baseline_warm_up", 0, shape)
        table.call(first, patience)
        for call in range(1, settings.warm_up_calls):
            table.fresh_call("baseline_warm_up", call, shape, patience)
        return tuple(
            charged(
                table.fresh_call("baseline", call, shape, patience), overhead
            )
            for call in range(settings.samples)
        )
