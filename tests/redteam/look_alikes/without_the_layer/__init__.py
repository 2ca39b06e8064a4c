"""One head at a time: another order of the same work."""

import torch

from .honest import chunk_quasar as honest


def chunk_quasar(q, k, v, beta, initial_state=None, **options):
    B, T, H, S = q.shape
    split = [x.contiguous().view(B, H, T, S) for x in (q, k, v)]
    outputs, states = [], []
    for head in range(H):
        alone = [x[:, head : head + 1].reshape(B, T, 1, S) for x in split]
        state = None
        if initial_state is not None:
            state = initial_state[:, head : head + 1]
        o, state = honest(
            *alone, beta[head : head + 1], initial_state=state, **options
        )
        outputs.append(o)
        states.append(state)
    last = None if states[0] is None else torch.cat(states, 1)
    return torch.cat(outputs, 2), last
