"""The calls of stage correctness, and the proof that they can tell."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from quasar_core.domain.workload import correctness_lengths
from quasar_core.errors import QuasarError, Stage
from quasar_core.judge.errors import compare
from quasar_core.judge.inputs import Inputs, draw_inputs
from quasar_core.judge.mutants import unseen_mutants
from quasar_core.judge.oracle import truth
from quasar_core.judge.rules import Rule, rule_of
from quasar_core.judge.seeds import CPU, Seeds
from quasar_core.judge.settings import JudgeSettings
from quasar_core.judge.shapes import CallShape

SCALED_UP_TO = 1_024
"""Lengths that are judged twice: once with scaled values."""

STATE_LENGTHS = (128, 1_024)
"""Lengths that are judged with an initial and a final state, too."""

REDRAWS = 8
FLOAT32_PROOF = 1e-5
"""How close the float32 chunk form must be to stand for the truth."""


class BlindInputsError(QuasarError):
    """No draw gave the stored mutants away: the judge itself is broken."""


@dataclass(frozen=True)
class Draw:
    """One call to come: its shape, and which draw of its index it takes."""

    call: int
    shape: CallShape
    scaled: bool
    redraw: int = 0

    def inputs(self, seeds: Seeds, device: torch.device = CPU) -> Inputs:
        """The inputs; the same ones each time."""
        return draw_inputs(
            seeds,
            f"{Stage.CORRECTNESS.value}/{self.redraw}",
            self.call,
            self.shape,
            scaled=self.scaled,
            device=device,
        )


def correctness_shapes(
    tokens: int, settings: JudgeSettings
) -> tuple[tuple[CallShape, bool], ...]:
    """(shape, scaled) of every call: at most six distinct lengths."""
    lengths = settings.correctness_lengths
    if lengths is None:
        lengths = correctness_lengths(tokens, settings.profile)
    calls = [(settings.shape(length), False) for length in lengths]
    calls += [
        (settings.shape(length), True)
        for length in lengths
        if length <= SCALED_UP_TO
    ]
    calls += [
        (settings.shape(length, states=True), False)
        for length in lengths
        if length in STATE_LENGTHS
    ]
    return tuple(calls)


def telling_draws(
    seeds: Seeds,
    tokens: int,
    settings: JudgeSettings,
    device: torch.device = CPU,
) -> tuple[Draw, ...]:
    """The draws of stage correctness, each shown to tell mutants apart.

    They come in a secret order, cheap ones first. Raises BlindInputsError
    where some draw stays blind.
    """
    shapes = correctness_shapes(tokens, settings)
    rule = rule_of(settings)
    draws = [
        _telling(seeds, Draw(call, shape, scaled), rule, device)
        for call, (shape, scaled) in enumerate(shapes)
    ]
    seeds.chance("order", 0).shuffle(draws)
    return tuple(sorted(draws, key=lambda draw: draw.shape.tokens > 1_024))


def _telling(
    seeds: Seeds, draw: Draw, rule: Rule, device: torch.device
) -> Draw:
    unseen: tuple[str, ...] = ()
    for redraw in range(REDRAWS):
        candidate = Draw(draw.call, draw.shape, draw.scaled, redraw)
        inputs = candidate.inputs(seeds, device)
        exact = truth(inputs)
        unseen = unseen_mutants(inputs, exact, rule.bar(inputs, exact))
        if not unseen:
            return candidate
    raise BlindInputsError(
        f"{draw.shape.tokens} tokens do not show {', '.join(unseen)}"
    )


def proved_dtype(inputs: Inputs) -> torch.dtype:
    """float32 where its chunk form is close enough to the truth here."""
    exact = truth(inputs)
    form = truth(inputs, torch.float32)
    worst = compare(form.output, exact.output).errors.worst
    return torch.float32 if worst <= FLOAT32_PROOF else torch.float64
