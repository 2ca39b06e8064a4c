"""Stored mutants: known wrong kernels that good inputs must give away.

Before a run the referee looks whether the inputs of stage correctness show
each of them; inputs that cannot tell are drawn again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import torch

from quasar_core.domain.tolerance import (
    BFLOAT16_STATE_MARGIN,
    MUTANT_MARGIN,
)
from quasar_core.judge.errors import head_norms, row_errors
from quasar_core.judge.inputs import Inputs
from quasar_core.judge.oracle import CHUNK, EXACT, Faults, Truth, truth
from quasar_core.judge.rules import Bar
from quasar_core.judge.shapes import ElementType

PREFIX = 512
"""Tokens over which a mutant that is wrong in every chunk is run."""


@dataclass(frozen=True)
class Mutant:
    """A wrong kernel, and from how many chunks on it can be seen.

    Either `faults` of the chunk form, or a `window`: it keeps what the
    last `window` chunks wrote and nothing older. `everywhere` runs it over
    all tokens; others show within the first few chunks.
    """

    faults: Faults = EXACT
    window: int | None = None
    chunks: int = 1
    margin: float = MUTANT_MARGIN
    everywhere: bool = False
    least_in_bfloat16: int = 1

    @property
    def chunks_in_bfloat16(self) -> int:
        """The same where inputs and outputs are rounded to bf16."""
        return max(self.chunks, self.least_in_bfloat16)


def _remembering(window: int) -> Mutant:
    return Mutant(window=window, chunks=max(2, 2 * window + 1))


MUTANTS: Mapping[str, Mutant] = MappingProxyType(
    {
        "no_mask": Mutant(Faults(mask=False)),
        "exclusive_mask": Mutant(Faults(inclusive=False)),
        "solve_without_terms": Mutant(Faults(solve_terms=0)),
        "solve_cut_to_4_terms": Mutant(Faults(solve_terms=4)),
        "solve_cut_to_16_terms": Mutant(Faults(solve_terms=16)),
        "beta_of_another_head": Mutant(Faults(shift_beta=True)),
        "gate_skipped": Mutant(Faults(skip_gate=True)),
        "state_dropped": _remembering(0),
        "last_chunk_only": _remembering(1),
        "last_8_chunks": _remembering(8),
        "last_64_chunks": _remembering(64),
        "state_in_bfloat16": Mutant(
            Faults(round_state=True),
            chunks=4,
            margin=BFLOAT16_STATE_MARGIN,
            everywhere=True,
            least_in_bfloat16=1_025,
        ),
    }
)


def unseen_mutants(inputs: Inputs, exact: Truth, bar: Bar) -> tuple[str, ...]:
    """The mutants that these inputs do not give away, of those they could.

    `exact` is the truth for them, in float64; mutants run in float32.
    """
    chunks = inputs.shape.tokens // CHUNK
    wide = inputs.shape.element is ElementType.FLOAT32
    return tuple(
        name
        for name, mutant in MUTANTS.items()
        if chunks >= (mutant.chunks if wide else mutant.chunks_in_bfloat16)
        and not bar.shows(*mutant_rows(mutant, inputs, exact), mutant.margin)
    )


def mutant_rows(
    mutant: Mutant, inputs: Inputs, exact: Truth
) -> tuple[torch.Tensor, int]:
    """Row errors `[B, H, t]` of a mutant, and the token they start at."""
    tokens = inputs.shape.tokens
    start = 0
    if mutant.window is not None:
        chunk = tokens // CHUNK - 1
        start = chunk * CHUNK
        wrong = forgetful_chunk(inputs, mutant.window, chunk)
        right = exact.output[:, :, start:]
    else:
        end = tokens if mutant.everywhere else min(tokens, PREFIX)
        kept = _tokens(inputs, 0, end)
        wrong = truth(kept, torch.float32, mutant.faults).output
        right = exact.output[:, :, :end]
    return row_errors(wrong, right, head_norms(exact.output)), start


def forgetful_output(inputs: Inputs, window: int) -> torch.Tensor:
    """What a kernel computes that keeps the last `window` chunks.

    `[B, H, T, S]`, as all outputs here.
    """
    chunks = inputs.shape.tokens // CHUNK
    return torch.cat(
        [forgetful_chunk(inputs, window, chunk) for chunk in range(chunks)],
        dim=2,
    )


def forgetful_chunk(inputs: Inputs, window: int, chunk: int) -> torch.Tensor:
    """One chunk's output when only `window` chunks came before it."""
    start = max(0, chunk - window) * CHUNK
    kept = _tokens(inputs, start, (chunk + 1) * CHUNK)
    return truth(kept, torch.float32).output[:, :, -CHUNK:]


def _tokens(inputs: Inputs, start: int, end: int) -> Inputs:
    """These tokens alone: what came before them is forgotten."""
    return replace(
        inputs,
        q=inputs.q[:, :, start:end],
        k=inputs.k[:, :, start:end],
        v=inputs.v[:, :, start:end],
        initial_state=inputs.initial_state if start == 0 else None,
    )
