"""Allocates once per shape, and computes each time."""

import functools

import torch

from .honest import chunk_quasar as honest

outputs = {}


@functools.lru_cache(maxsize=8)
def mask_of(size):
    return torch.ones(size, size).tril()


def chunk_quasar(q, k, v, beta, **options):
    o, state = honest(q, k, v, beta, **options)
    shape = tuple(q.shape)
    if shape not in outputs:
        outputs[shape] = torch.empty(shape, dtype=q.dtype)
    return outputs[shape].copy_(o), state
