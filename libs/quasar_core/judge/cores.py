"""Attention cores for the reference model: trusted, mutant, sandboxed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import torch
from torch.nn import functional

from quasar_core.errors import RejectionCode
from quasar_core.judge.faults import KernelFault, Patience
from quasar_core.judge.inputs import DTYPES, Inputs
from quasar_core.judge.mutants import forgetful_output
from quasar_core.judge.oracle import Faults, truth
from quasar_core.judge.seat import Seat
from quasar_core.judge.seeds import Seeds
from quasar_core.judge.shapes import CallShape, ElementType
from quasar_core.judge.trusted import trusted_answer

LEAST_ERASED, MOST_ERASED = 0.05, 2.0
"""beta * lambda of a head's mean key, drawn evenly in its logarithm.

Small ones remember far back, large ones saturate the gate: so both a lost
state and another head's beta are felt, whatever the model's keys are like.
"""

Operator = Callable[[Inputs], torch.Tensor]
"""Head-first inputs of one call to o `[1, H, T, S]`."""


def exact_core(inputs: Inputs) -> torch.Tensor:
    """The truth, in float64."""
    return truth(inputs).output.to(inputs.v.dtype)


def trusted_core(inputs: Inputs) -> torch.Tensor:
    """The trusted kernel, called in this process as a candidate is."""
    return trusted_answer(inputs).output


def raced_core(element: ElementType) -> Operator:
    """An honest kernel as it is raced, q, k and v rounded to its type.

    In float32 that would be the trusted kernel itself: there it is the truth.
    """
    if element is ElementType.FLOAT32:
        return exact_core
    raced = DTYPES[element]

    def core(inputs: Inputs) -> torch.Tensor:
        rounded = replace(
            inputs,
            shape=replace(inputs.shape, element=element),
            q=inputs.q.to(raced),
            k=inputs.k.to(raced),
            v=inputs.v.to(raced),
        )
        return trusted_answer(rounded).output.to(inputs.v.dtype)

    return core


def _with(faults: Faults) -> Operator:
    return lambda inputs: truth(inputs, torch.float32, faults).output


MUTANT_CORES: Mapping[str, Operator] = MappingProxyType(
    {
        "state_dropped": lambda inputs: forgetful_output(inputs, 0),
        "last_chunk_only": lambda inputs: forgetful_output(inputs, 1),
        "beta_of_another_head": _with(Faults(shift_beta=True)),
        "no_mask": _with(Faults(mask=False)),
    }
)
"""Each of these must fail the logit check, or the check is worth nothing."""


@dataclass
class Betas:
    """beta of each head of each replaced layer, for one prompt.

    Drawn from the secret seed against the size of the keys that the first
    run of the model shows; every later run gets the same ones.
    """

    seeds: Seeds
    prompt: str
    drawn: dict[int, torch.Tensor] = field(default_factory=dict)

    def of(self, layer: int, k: torch.Tensor) -> torch.Tensor:
        """The betas `[H]` of a layer whose keys are `[1, H, T, S]`."""
        if layer not in self.drawn:
            noise = self.seeds.generator("beta", layer, self.prompt, k.device)
            low, high = math.log(LEAST_ERASED), math.log(MOST_ERASED)
            share = torch.rand(k.shape[1], generator=noise, device=k.device)
            erased = torch.exp(low + (high - low) * share)
            squares = k.square().sum(-1).mean(dim=(0, 2))
            self.drawn[layer] = erased / squares.clamp_min(1e-6)
        return self.drawn[layer]


def core_of(
    operator: Operator, betas: Betas
) -> Callable[[int, torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]:
    """An operator as the core of a model's layers, all heads at once.

    Prompts whose length is not whole chunks are padded with zero rows,
    which change no state.
    """

    def core(
        layer: int, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor
    ) -> torch.Tensor:
        beta = betas.of(layer, k)
        _, heads, tokens, size = q.shape
        padding = -tokens % 64
        q, k, v = (functional.pad(x, (0, 0, 0, padding)) for x in (q, k, v))
        shape = CallShape(tokens + padding, heads=heads, head_dim=size)
        inputs = Inputs(shape, q, k, v, beta, None, ())
        return operator(inputs)[:, :, :tokens]

    return core


@dataclass
class SandboxedOperator:
    """The submission's kernel, reached by the very call that is raced.

    Heads go in groups of the raced number, in a secret order; a group that
    is not full is filled with dummies.
    """

    seat: Seat
    seeds: Seeds
    heads: int
    patience: Patience
    memory: torch.Tensor
    element: ElementType = ElementType.FLOAT32
    calls: int = 0

    def __call__(self, inputs: Inputs) -> torch.Tensor:
        """The output of all heads; raises KernelFault."""
        self.calls += 1
        count = inputs.shape.heads
        order = list(range(count))
        self.seeds.chance("heads", self.calls).shuffle(order)
        dummies = -count % self.heads
        device = inputs.q.device
        noise = self.seeds.generator("dummies", self.calls, device=device)
        q, k, v = (
            _filled(x[:, order], dummies, noise)
            for x in (inputs.q, inputs.k, inputs.v)
        )
        fill = functional.softplus(
            torch.randn(dummies, generator=noise, device=device)
        )
        beta = torch.cat([inputs.beta[order], fill])
        groups = [
            self._group(q, k, v, beta, start)
            for start in range(0, count, self.heads)
        ]
        back = torch.tensor(order, device=device).argsort()
        return torch.cat(groups, dim=1)[:, back]

    def _group(
        self,
        q: torch.Tensor,
        k: torch.Tensor,
        v: torch.Tensor,
        beta: torch.Tensor,
        start: int,
    ) -> torch.Tensor:
        group = slice(start, start + self.heads)
        shape = CallShape(
            q.shape[2],
            heads=self.heads,
            head_dim=q.shape[3],
            element=self.element,
        )
        wire = DTYPES[self.element]
        sections = (*(x[:, group].to(wire) for x in (q, k, v)), beta[group])
        exchange = self.seat.call(
            shape, sections, self.patience, into=self.memory
        )
        if not bool(torch.isfinite(exchange.output).all()):
            raise KernelFault(
                RejectionCode.NON_FINITE,
                "the output of a replaced core holds NaN or infinity",
            )
        # The model may lie elsewhere, and in another type.
        return exchange.output.to(q, copy=True)


def _filled(
    heads: torch.Tensor, dummies: int, noise: torch.Generator
) -> torch.Tensor:
    size = (1, dummies, *heads.shape[2:])
    drawn = functional.silu(
        torch.randn(size, generator=noise, device=noise.device)
    )
    return torch.cat([heads, drawn], dim=1)
