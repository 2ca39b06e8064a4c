"""Never answers."""

import time

from .honest import chunk_quasar as honest


def chunk_quasar(q, k, v, beta, **options):
    if q.shape[1] > 64:
        time.sleep(999)
    return honest(q, k, v, beta, **options)
