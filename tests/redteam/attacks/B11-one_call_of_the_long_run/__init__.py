"""Is wrong at one call of the back-to-back run."""

from .honest import chunk_quasar as honest

calls = []


def chunk_quasar(q, k, v, beta, **options):
    calls.append(1)
    o, state = honest(q, k, v, beta, **options)
    if len(calls) == 15:
        o[0, -1, 0] *= 1.01
    return o, state
