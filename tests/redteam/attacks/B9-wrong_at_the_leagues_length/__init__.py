"""Is exact at short lengths and wrong at the league's."""

import torch

from .honest import chunk_quasar as honest


def chunk_quasar(q, k, v, beta, **options):
    if q.shape[1] > 128:
        return torch.zeros_like(q), options.get("initial_state")
    return honest(q, k, v, beta, **options)
