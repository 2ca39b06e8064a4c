"""The trusted kernel in the referee's own process: never in a sandbox's."""

from __future__ import annotations

import torch

from quasar_core.judge.inputs import Inputs
from quasar_core.judge.oracle import Truth


def trusted_answer(inputs: Inputs) -> Truth:
    """What the trusted kernel makes of these inputs, in their own type.

    It is called as a candidate is: head-first memory `[1, T, H, S]`.
    """
    from fla_quasar.ops.quasar import chunk_quasar

    shape = inputs.shape
    size = (1, shape.tokens, shape.heads, shape.head_dim)
    q, k, v = (
        each.contiguous().view(size) for each in (inputs.q, inputs.k, inputs.v)
    )
    with torch.no_grad():
        o, state = chunk_quasar(
            q,
            k,
            v,
            inputs.beta,
            initial_state=inputs.initial_state,
            output_final_state=True,
        )
    if state is None:
        raise ValueError("the trusted kernel returned no state")
    return Truth(o.transpose(1, 2), state)
