"""Returns a right output and a final state that is off by a thousandth."""

from .honest import chunk_quasar as honest


def chunk_quasar(q, k, v, beta, **options):
    o, state = honest(q, k, v, beta, **options)
    return o, state if state is None else state * 1.001
