"""Uses the beta of the next head."""

from .honest import chunk_quasar as honest


def chunk_quasar(q, k, v, beta, **options):
    return honest(q, k, v, beta.roll(1), **options)
