"""Reproduction: the input on which a run failed, and its row again.

The seed of a run is published with its verdict; the evidence names the draw.
Both together are the very input, to the last bit.
"""

from __future__ import annotations

import hashlib
import math
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import torch

from quasar_core.contracts.reports import Source
from quasar_core.errors import Evidence, QuasarError, Stage
from quasar_core.execution.sandbox import Sandbox
from quasar_core.judge.errors import row_errors
from quasar_core.judge.faults import KernelFault, Patience
from quasar_core.judge.ground import Ground
from quasar_core.judge.grounds import ground_of
from quasar_core.judge.inputs import Inputs, draw_inputs
from quasar_core.judge.jobs import ReproducedReport
from quasar_core.judge.oracle import truth
from quasar_core.judge.pinned import source_files
from quasar_core.judge.room import Room
from quasar_core.judge.rules import STATE_FAMILY, rule_of
from quasar_core.judge.seeds import CPU, Seeds
from quasar_core.judge.settings import JudgeSettings
from quasar_core.judge.shapes import Extent
from quasar_core.judge.turns import own_turn

LONGEST = 2_000_064
"""No call is longer than the longest length that is judged."""


class NotReproducibleError(QuasarError):
    """The evidence names no input: there is none to draw again."""


@dataclass(frozen=True)
class Place:
    """The input that the evidence speaks of, and the row in its output."""

    draw: str
    call: int
    scaled: bool
    states: bool
    tokens: int
    head: int
    token: int
    family: str


def place_of(evidence: Evidence) -> Place:
    """Read a rejection's evidence; raises NotReproducibleError."""
    wanted = ("draw", "call", "sequence_length", "head", "token")
    missing = [name for name in wanted if name not in evidence]
    if missing:
        raise NotReproducibleError(
            "this rejection names no failing input: its evidence lacks"
            f" {', '.join(missing)}"
        )
    numbers = [evidence[name] for name in wanted[1:]]
    if not all(type(one) is int and 0 <= one <= LONGEST for one in numbers):
        raise NotReproducibleError("the evidence holds no input's numbers")
    call, tokens, head, token = (int(str(one)) for one in numbers)
    if tokens == 0 or tokens % 64:
        raise NotReproducibleError(f"{tokens} tokens are not whole chunks")
    return Place(
        draw=str(evidence["draw"]),
        call=call,
        scaled=evidence.get("scaled") is True,
        states=evidence.get("states") is True,
        tokens=tokens,
        head=head,
        token=token,
        family=str(evidence.get("family", "")),
    )


def inputs_at(
    place: Place,
    seeds: Seeds,
    settings: JudgeSettings,
    device: torch.device = CPU,
) -> Inputs:
    """The very inputs of the call that failed."""
    return draw_inputs(
        seeds,
        place.draw,
        place.call,
        settings.shape(place.tokens, states=place.states),
        scaled=place.scaled,
        device=device,
    )


def fingerprint(inputs: Inputs) -> str:
    """SHA-256 over the tensors of a call, as they lie in memory."""
    total = hashlib.sha256()
    for section in inputs.sections:
        raw = section.contiguous().view(torch.uint8).cpu().numpy()
        total.update(raw.tobytes())
    return total.hexdigest()


def reproduce(
    source: Source,
    evidence: Evidence,
    *,
    seeds: Seeds,
    settings: JudgeSettings,
    sandbox: Sandbox,
    scratch: Path | None = None,
    ground: Ground | None = None,
) -> ReproducedReport:
    """Call the source with the input of the evidence; the row, and truth's.

    Raises NotReproducibleError, TransientError, SandboxUnavailable.
    """
    ground = ground or ground_of(settings)
    ground.prepare(settings)
    place = place_of(evidence)
    inputs = inputs_at(place, seeds, settings, ground.device)
    exact = truth(inputs)
    right = exact.state if place.family == STATE_FAMILY else exact.output
    if place.head >= right.shape[1] or place.token >= right.shape[2]:
        raise NotReproducibleError("the evidence names a row that is none")
    with own_turn(settings, ground.lock_name):
        sandbox.preflight()
        with tempfile.TemporaryDirectory(
            prefix="quasar-judge-", dir=scratch
        ) as folder:
            fresh = Seeds.fresh("reproduction")
            room = Room(sandbox, fresh, settings, Path(folder), ground)
            found, fault = _called(source, inputs, room)
    output = error = None
    if found is not None:
        got = found[1] if place.family == STATE_FAMILY else found[0]
        output = _row(got, place)
        row_error = row_errors(got, right)[0, place.head, place.token]
        error = _told(float(row_error))
    return ReproducedReport(
        sequence_length=place.tokens,
        family=place.family,
        head=place.head,
        token=place.token,
        truth=tuple(float(x) for x in right[0, place.head, place.token]),
        output=output,
        error=error,
        bound=_bound(evidence, settings),
        fault=fault,
        input_sha256=fingerprint(inputs),
    )


def _bound(evidence: Evidence, settings: JudgeSettings) -> float:
    """The bound that held: on a device it was that input's own."""
    told = evidence.get("bound")
    rule = rule_of(settings)
    if rule.relative and isinstance(told, int | float) and told > 0:
        return float(told)
    return rule.bound


def _called(
    source: Source, inputs: Inputs, room: Room
) -> tuple[tuple[torch.Tensor, torch.Tensor] | None, str]:
    shape = inputs.shape
    patience = Patience(room.settings.limits.seconds(Stage.CORRECTNESS))
    with ExitStack() as seats:
        files = source_files(source)
        seat = room.seat(seats, "candidate", files, Extent.of(shape))
        try:
            seat.ready(patience)
            exchange = seat.call(
                shape,
                inputs.sections,
                patience,
                into=room.ground.memory(shape.output_bytes),
            )
        except KernelFault as fault:
            return None, str(fault)
    state = exchange.state
    return (
        exchange.output,
        exchange.output if state is None else state,
    ), ""


def _row(output: torch.Tensor, place: Place) -> tuple[float | str, ...]:
    row = output[0, place.head, place.token]
    return tuple(_told(float(value)) for value in row)


def _told(value: float) -> float | str:
    """JSON has no word for what is not finite."""
    return value if math.isfinite(value) else str(value)
