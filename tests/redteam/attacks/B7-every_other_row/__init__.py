"""Computes every other row and repeats it."""

from .honest import chunk_quasar as honest


def chunk_quasar(q, k, v, beta, **options):
    o, state = honest(q, k, v, beta, **options)
    o[:, 1::2] = o[:, ::2]
    return o, state
