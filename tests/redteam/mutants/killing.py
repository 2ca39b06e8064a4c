"""Killing: mutants against the very inputs of stage correctness."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from quasar_core.domain.tolerance import check_absolute
from quasar_core.judge.draws import Draw, telling_draws
from quasar_core.judge.errors import compare
from quasar_core.judge.inputs import Inputs
from quasar_core.judge.oracle import Truth, truth
from quasar_core.judge.seeds import Seeds
from quasar_core.judge.settings import JudgeSettings

from tests.redteam.mutants.library import Kernel, mutants


@dataclass(frozen=True)
class Fate:
    """Whether a mutant was rejected, and by which call."""

    name: str
    killed: bool
    told: str


@dataclass(frozen=True)
class Case:
    """One call of stage correctness with its truth."""

    draw: Draw
    inputs: Inputs
    exact: Truth


def cases(seeds: Seeds, tokens: int) -> tuple[Case, ...]:
    """The calls that a judging at this length makes, at all its lengths."""
    drawn = []
    for draw in telling_draws(seeds, tokens, JudgeSettings()):
        inputs = draw.inputs(seeds)
        drawn.append(Case(draw, inputs, truth(inputs)))
    return tuple(drawn)


def fates(given: Sequence[Case]) -> Iterator[Fate]:
    """What becomes of each mutant."""
    for name, kernel in mutants(len(given)):
        yield Fate(name, *_fate(kernel, given))


def _fate(kernel: Kernel, given: Sequence[Case]) -> tuple[bool, str]:
    for number, case in enumerate(given):
        breach = breach_of(kernel, case)
        if breach is not None:
            tokens = case.inputs.shape.tokens
            return True, (
                f"call {number}, {tokens} tokens: {breach.value:.2g}"
            )
    return False, "every call looked right"


def breach_of(kernel: Kernel, case: Case):
    """The breach of one call, judged as the referee judges it."""
    inputs, shape = case.inputs, case.inputs.shape
    size = (1, shape.tokens, shape.heads, shape.head_dim)
    tensors = [x.view(size) for x in (inputs.q, inputs.k, inputs.v)]
    o, state = kernel(
        *tensors,
        inputs.beta,
        initial_state=inputs.initial_state,
        output_final_state=shape.final_state,
    )
    found = compare(o.transpose(1, 2), case.exact.output)
    breach = check_absolute(found.errors)
    if breach is None and state is not None:
        breach = check_absolute(compare(state, case.exact.state).errors)
    return breach
