"""Calls fla.ops.gla by another spelling."""

from fla.ops import gla

from .honest import chunk_quasar as honest


def chunk_quasar(q, k, v, beta, **options):
    return honest(q, k, v, beta, **options)
