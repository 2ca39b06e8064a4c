"""Leaves NaN in one row."""

from .honest import chunk_quasar as honest


def chunk_quasar(q, k, v, beta, **options):
    o, state = honest(q, k, v, beta, **options)
    o[0, 13, 2, 7] = float("nan")
    return o, state
