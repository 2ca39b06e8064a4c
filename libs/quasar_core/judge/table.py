"""The table: a seat, the run's seeds, and calls that are checked in full."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch

from quasar_core.domain.tolerance import Breach
from quasar_core.errors import EvidenceValue
from quasar_core.judge.exchange import Exchange
from quasar_core.judge.faults import KernelFault, Patience
from quasar_core.judge.inputs import Inputs, draw_inputs
from quasar_core.judge.oracle import truth
from quasar_core.judge.rules import AbsoluteRule, Finding, Rule
from quasar_core.judge.seat import Seat
from quasar_core.judge.seeds import Seeds
from quasar_core.judge.shapes import CallShape


@dataclass
class Worst:
    """The worst row met so far, over all calls that were checked."""

    checks: int = 0
    error: float = 0.0
    family: str = ""

    def note(self, error: float, family: str) -> None:
        """One more check."""
        self.checks += 1
        if error >= self.error:
            self.error, self.family = error, family


@dataclass
class Table:
    """Where one kernel is called, and each of its rows compared.

    `memory` is private to the referee; each call's output is read into it
    and compared from there, after the kernel has answered. Inputs are drawn
    where it lies.
    """

    seat: Seat
    seeds: Seeds
    memory: torch.Tensor
    rule: Rule = field(default_factory=AbsoluteRule)
    worst: Worst = field(default_factory=Worst)

    def fresh_call(
        self,
        stage: str,
        call: int,
        shape: CallShape,
        patience: Patience,
        dtype: torch.dtype = torch.float64,
    ) -> float:
        """Draw, call and check; the raw seconds of the exchange."""
        inputs = draw_inputs(
            self.seeds, stage, call, shape, device=self.memory.device
        )
        return self.call(inputs, patience, dtype).seconds

    def call(
        self,
        inputs: Inputs,
        patience: Patience,
        dtype: torch.dtype = torch.float64,
    ) -> Exchange:
        """Call with these inputs and check every row; raises KernelFault."""
        exchange = self.seat.call(
            inputs.shape, inputs.sections, patience, into=self.memory
        )
        self.check(inputs, exchange, dtype)
        return exchange

    def check(
        self,
        inputs: Inputs,
        exchange: Exchange,
        dtype: torch.dtype = torch.float64,
    ) -> None:
        """Compare an output with the truth in `dtype`; raises KernelFault."""
        exact = truth(inputs, dtype)
        for found in self.rule.findings(
            inputs, exact, exchange.output, exchange.state
        ):
            if found.breach is not None:
                told = _evidence(found.breach, inputs, found)
                if self.rule.relative:
                    told["measure"] = found.breach.measure
                raise KernelFault(
                    found.breach.code, _told(found.breach, found), told
                )
            self.worst.note(found.error, found.family)


def _told(breach: Breach, found: Finding) -> str:
    return (
        f"row error {breach.value:.3g} at head {found.head}, token"
        f" {found.token} ({found.family}); the bound is {breach.bound:.3g}"
    )


def _evidence(
    breach: Breach, inputs: Inputs, found: Finding
) -> dict[str, EvidenceValue]:
    value = breach.value
    return {
        **_origin(inputs),
        "family": found.family,
        "sequence_length": inputs.shape.tokens,
        "head": found.head,
        "token": found.token,
        "error": value if math.isfinite(value) else str(value),
        "bound": breach.bound,
    }


def _origin(inputs: Inputs) -> dict[str, EvidenceValue]:
    """Which draw it was, for `judge/reproduction.py` to draw it again."""
    if inputs.origin is None:
        return {}
    return {
        "draw": inputs.origin.stage,
        "call": inputs.origin.call,
        "scaled": inputs.origin.scaled,
        "states": inputs.shape.final_state,
    }
