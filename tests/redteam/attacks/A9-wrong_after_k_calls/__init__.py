"""Takes a cheap wrong path once enough calls have passed."""

import torch

from .honest import chunk_quasar as honest

calls = []


def chunk_quasar(q, k, v, beta, **options):
    calls.append(1)
    if len(calls) > 10:
        return torch.zeros_like(q), None
    return honest(q, k, v, beta, **options)
