"""Returns the output without a tuple."""

from .honest import chunk_quasar as honest


def chunk_quasar(q, k, v, beta, **options):
    return honest(q, k, v, beta, **options)[0]
