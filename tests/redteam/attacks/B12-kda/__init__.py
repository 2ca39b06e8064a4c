"""Calls the forbidden operator fla.ops.kda."""

from fla.ops.kda import chunk_kda

from .honest import chunk_quasar as honest


def chunk_quasar(q, k, v, beta, **options):
    return honest(q, k, v, beta, **options)
