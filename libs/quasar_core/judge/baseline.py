"""The trusted kernel's own time on a machine, before its first job."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

from quasar_core.domain.workload import judged_length
from quasar_core.errors import Stage
from quasar_core.execution.sandbox import Sandbox
from quasar_core.judge.draws import proved_dtype
from quasar_core.judge.faults import Patience
from quasar_core.judge.ground import Ground
from quasar_core.judge.grounds import ground_of
from quasar_core.judge.health import healthy
from quasar_core.judge.inputs import draw_inputs
from quasar_core.judge.jobs import BaselineReport
from quasar_core.judge.manifest import environment
from quasar_core.judge.pinned import baseline_files
from quasar_core.judge.room import Room
from quasar_core.judge.rules import rule_of
from quasar_core.judge.seeds import Seeds
from quasar_core.judge.settings import JudgeSettings
from quasar_core.judge.shapes import CallShape, Extent
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
    ground: Ground | None = None,
) -> BaselineReport:
    """Samples of the trusted kernel, taken as a submission's are.

    Raises TransientError where it fails: that is nobody's submission.
    """
    ground = ground or ground_of(settings)
    ground.prepare(settings)
    tokens = judged_length(target_sequence_length)
    seeds = Seeds.fresh(run_id)
    sandbox.preflight()
    with (
        own_turn(settings, ground.lock_name),
        healthy(ground),
        tempfile.TemporaryDirectory(
            prefix="quasar-judge-", dir=scratch
        ) as folder,
    ):
        room = Room(sandbox, seeds, settings, Path(folder), ground)
        samples = unblamed(lambda: _samples(room, settings.shape(tokens)))
    return BaselineReport(
        sequence_length=tokens,
        samples=samples,
        environment={
            **environment(),
            **ground.facts(),
            "num_threads": str(settings.num_threads),
            "judge": settings.published(),
        },
    )


def _samples(room: Room, shape: CallShape) -> tuple[float, ...]:
    settings = room.settings
    overhead = room.exchange_cost(shape)
    with ExitStack() as seats:
        seat = room.seat(seats, "baseline", baseline_files(), Extent.of(shape))
        memory = room.ground.memory(shape.output_bytes)
        table = Table(seat, room.seeds, memory, rule_of(settings))
        patience = Patience(settings.limits.seconds(Stage.WARM_UP))
        seat.ready(patience)
        first = draw_inputs(
            room.seeds, "baseline_warm_up", 0, shape, device=room.ground.device
        )
        dtype = proved_dtype(first)
        for call in range(settings.warm_up_calls):
            table.fresh_call("baseline_warm_up", call, shape, patience, dtype)
        raw = [
            table.fresh_call("baseline", call, shape, patience, dtype)
            for call in range(settings.samples)
        ]
        return tuple(charged(seconds, overhead) for seconds in raw)
