"""Raises SystemExit(0) in a call."""

from .honest import chunk_quasar as honest


def chunk_quasar(q, k, v, beta, **options):
    raise SystemExit(0)
    return honest(q, k, v, beta, **options)
