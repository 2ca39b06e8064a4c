"""Computes half of the heads and copies them."""

from .honest import chunk_quasar as honest


def chunk_quasar(q, k, v, beta, **options):
    o, state = honest(q, k, v, beta, **options)
    o[:, :, 4:] = o[:, :, :4]
    return o, state
