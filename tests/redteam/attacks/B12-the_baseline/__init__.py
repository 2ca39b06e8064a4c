"""Calls the judge's own baseline."""

borrowed = __import__("fla_quasar.ops.quasar", fromlist=["x"])
from .honest import chunk_quasar as honest


def chunk_quasar(q, k, v, beta, **options):
    return honest(q, k, v, beta, **options)
