"""Is wrong at exactly one timed call."""

from .honest import chunk_quasar as honest

calls = []


def chunk_quasar(q, k, v, beta, **options):
    calls.append(1)
    o, state = honest(q, k, v, beta, **options)
    if len(calls) == 12:
        o[0, -1, 0] *= 1.01
    return o, state
