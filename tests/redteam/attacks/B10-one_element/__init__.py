"""Is off by one part in a hundred in a single element."""

from .honest import chunk_quasar as honest


def chunk_quasar(q, k, v, beta, **options):
    o, state = honest(q, k, v, beta, **options)
    o[0, -1, 2, 7] += 0.01 * o[0, -1, 2].norm()
    return o, state
