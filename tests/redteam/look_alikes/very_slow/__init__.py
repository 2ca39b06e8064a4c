"""Right, and in no hurry."""

from .honest import chunk_quasar as honest


def chunk_quasar(q, k, v, beta, **options):
    for _ in range(11):
        honest(q, k, v, beta, **options)
    return honest(q, k, v, beta, **options)
