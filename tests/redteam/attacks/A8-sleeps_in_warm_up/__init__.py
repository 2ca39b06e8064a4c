"""Sleeps through the warm-up to be timed less often."""

import time

from .honest import chunk_quasar as honest

calls = []


def chunk_quasar(q, k, v, beta, **options):
    calls.append(1)
    if 8 < len(calls) < 12:
        time.sleep(0.4)
    return honest(q, k, v, beta, **options)
