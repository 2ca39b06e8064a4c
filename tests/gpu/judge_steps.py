"""What is measured of the judge on a card, step by step.

Each step gives rows: plain facts by name. None of them decides anything, and
all of them run on a stand-in too, where only their times mean nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import mean, median, pstdev
from typing import Any

import torch
from quasar_core.domain.workload import Profile
from quasar_core.execution.sandbox import Sandbox
from quasar_core.judge.baseline import measure_baseline
from quasar_core.judge.exchange import PreparedCall
from quasar_core.judge.ground import Ground
from quasar_core.judge.health import canary
from quasar_core.judge.inputs import draw_inputs
from quasar_core.judge.judging import judge
from quasar_core.judge.mutants import MUTANTS, mutant_rows
from quasar_core.judge.oracle import CHUNK, truth
from quasar_core.judge.pinned import baseline_source
from quasar_core.judge.replay import RunRecord, compared
from quasar_core.judge.room import Room
from quasar_core.judge.rules import RelativeRule
from quasar_core.judge.seeds import Seeds
from quasar_core.judge.settings import JudgeSettings
from quasar_core.judge.shapes import Extent
from quasar_core.judge.trusted import trusted_answer

from tests.redteam.arena import Arena
from tests.redteam.catalogue import ATTACKS, LOOK_ALIKES, Fixture, catalogue

Row = dict[str, Any]

BESIDE_DEVICE = (
    "B2-zeros",
    "B5-last_chunk_only",
    "B8-solve_cut_to_16",
    "B10-nan_row",
    "C2-exit_at_a_later_call",
)
"""Attacks that need no device, but must fail on one as well."""

DEVICE_LENGTHS = (64, 192, 1_088)
"""Short ones that show the stored mutants in bf16: profile `gpu`'s own."""


@dataclass(frozen=True)
class Bench:
    """On what, in what and with what everything is measured."""

    ground: Ground
    sandbox: Sandbox
    settings: JudgeSettings
    folder: Path

    def room(self) -> Room:
        """A room with seeds of its own."""
        return Room(
            self.sandbox,
            Seeds.fresh("session"),
            self.settings,
            self.folder,
            self.ground,
        )


def windows(bench: Bench, tokens: int) -> Iterator[Row]:
    """What is written into windows is what is read; how long both take."""
    shape = bench.settings.shape(tokens)
    ground, seeds = bench.ground, Seeds.fresh("windows")
    inputs = draw_inputs(seeds, "windows", 0, shape, device=ground.device)
    buffers = ground.buffers(Extent.of(shape))
    y = buffers.output(shape.output_bytes)
    into = ground.memory(shape.output_bytes)
    try:
        y.poison(shape.output_bytes)
        with PreparedCall(
            buffers, shape, inputs.sections, into, seeds.chance("order", 0)
        ) as call:
            started = time.perf_counter()
            call.window.show(0, 1)
            buffers.release(1)
            ground.wait()
            shown = time.perf_counter()
            y.read(into, shape.output_bytes, call.order)
            ground.wait()
            read = time.perf_counter()
        output, _ = call.outputs()
        yield {
            "tokens": tokens,
            "all_poison": bool(output.isnan().all()),
            "fill_seconds": shown - started,
            "read_seconds": read - shown,
        }
    finally:
        y.close()
        buffers.close()


def exchange_cost(bench: Bench, tokens: int) -> Iterator[Row]:
    """K."""
    shape = bench.settings.shape(tokens)
    yield {"tokens": tokens, "k_seconds": bench.room().exchange_cost(shape)}


def overhead(bench: Bench, tokens: int) -> Iterator[Row]:
    """The trusted kernel's judged time against its time in one process."""
    report = measure_baseline(
        tokens,
        run_id="overhead",
        settings=bench.settings,
        sandbox=bench.sandbox,
        scratch=bench.folder,
        ground=bench.ground,
    )
    direct = direct_seconds(bench, tokens)
    judged = median(report.samples)
    yield {
        "tokens": tokens,
        "direct_seconds": direct,
        "judged_seconds": judged,
        "overhead": judged / direct - 1,
        "variation": pstdev(report.samples) / mean(report.samples),
    }


def direct_seconds(bench: Bench, tokens: int) -> float:
    """The median of fresh inputs, caches cleared, by the device's events.

    Each call follows another one closely, as a judged call does.
    """
    ground, seeds = bench.ground, Seeds.fresh("direct")
    shape = bench.settings.shape(tokens)
    buffers = ground.buffers(Extent.of(shape))
    times = []
    calls = bench.settings.warm_up_calls + bench.settings.samples
    try:
        for call in range(calls):
            inputs = draw_inputs(
                seeds, "direct", call, shape, device=ground.device
            )
            trusted_answer(inputs)
            buffers.clear_caches()
            times.append(_once(ground, lambda x=inputs: trusted_answer(x)))
    finally:
        buffers.close()
    return median(times[bench.settings.warm_up_calls :])


def _once(ground: Ground, call: Callable[[], object]) -> float:
    if ground.device.type != "cuda":
        started = time.perf_counter()
        call()
        return time.perf_counter() - started
    begun, ended = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    begun.record()
    call()
    ended.record()
    ground.wait()
    return begun.elapsed_time(ended) / 1_000


def whole(bench: Bench, tokens: int) -> Iterator[Row]:
    """One whole judging of the trusted kernel as if it were a submission."""
    started = time.monotonic()
    report = judge(
        baseline_source(),
        target_sequence_length=tokens,
        run_id="whole",
        settings=bench.settings,
        sandbox=bench.sandbox,
        progress=lambda step: None,
        scratch=bench.folder,
        ground=bench.ground,
    )
    row: Row = {"tokens": tokens, "wall_seconds": time.monotonic() - started}
    if report.rejection is not None:
        row["rejected"] = report.rejection.model_dump(mode="json")
    if report.timing is not None:
        timing = report.timing
        row |= {
            "op_seconds": median(timing.samples),
            "back_to_back_seconds": timing.back_to_back,
            "k_seconds": timing.overhead,
            "rest_seconds": timing.rest,
            "tokens_per_sec": timing.derived().tokens_per_sec,
            "speedup": timing.derived().speedup_vs_baseline,
            "variation": pstdev(timing.samples) / mean(timing.samples),
        }
    if report.correctness is not None:
        row["worst_share"] = report.correctness.worst_row_error
    row["environment"] = report.manifest.environment
    yield row


def mutants(
    bench: Bench, tokens: int, seed: str | None = None
) -> Iterator[Row]:
    """How many times its bounds each mutant is beyond, and its margin.

    Of one draw: a judging draws again where one does not show enough.
    """
    shape, seeds = bench.settings.shape(tokens), Seeds.of("mutants", seed)
    inputs = draw_inputs(
        seeds, "mutants", 0, shape, device=bench.ground.device
    )
    exact = truth(inputs)
    bar = RelativeRule().bar(inputs, exact)
    rms = bar.trusted.square().mean((0, 2)).sqrt()
    yield {"tokens": tokens, "trusted_rms": [float(x) for x in rms]}
    for name, mutant in MUTANTS.items():
        if tokens // CHUNK >= mutant.chunks_in_bfloat16:
            share = max(bar.shares(*mutant_rows(mutant, inputs, exact)))
            yield {
                "tokens": tokens,
                "mutant": name,
                "share": str(share),
                "margin": mutant.margin,
                "shown": share >= mutant.margin,
            }


def replayed(bench: Bench, tokens: int) -> Iterator[Row]:
    """A run and its replay from its manifest: verdicts, and both times."""
    judged = partial(
        judge,
        baseline_source(),
        target_sequence_length=tokens,
        settings=bench.settings,
        sandbox=bench.sandbox,
        progress=lambda step: None,
        scratch=bench.folder,
        ground=bench.ground,
    )
    first = judged(run_id="replayed")
    again = judged(run_id="replayed", seed=first.manifest.seed)
    record = RunRecord(
        source=baseline_source(),
        target_sequence_length=tokens,
        report=first,
    )
    yield {"tokens": tokens, **compared(record, again).model_dump(mode="json")}


def attacks(bench: Bench, only: tuple[str, ...] = ()) -> Iterator[Row]:
    """The device's red team; after each the device must be healthy."""
    with ExitStack() as stack:
        arena = Arena(
            bench.folder,
            bench.sandbox,
            profile=Profile.GPU,
            ground=bench.ground,
        )
        stack.enter_context(arena)
        arena.whole()
        for fixture in device_fixtures(only):
            result = arena.run(fixture)
            arena.check_health()
            seconds = canary(bench.ground)
            yield {
                "attack": fixture.name,
                "right": result.right,
                "got": result.got,
                "told": result.told,
                "healthy_after": True,
                "canary_seconds": seconds,
            }


def device_fixtures(only: tuple[str, ...] = ()) -> list[Fixture]:
    """Those that need a device, and a few that must fail on one as well."""
    return [
        # What hangs a device is given up by the smoke's own limit.
        replace(one, lengths=DEVICE_LENGTHS)
        for one in (*catalogue(ATTACKS), *catalogue(LOOK_ALIKES))
        if (one.name in only if only else one.gpu or one.name in BESIDE_DEVICE)
    ]
