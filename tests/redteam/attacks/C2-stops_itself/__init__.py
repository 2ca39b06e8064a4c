"""Stops itself with a signal that cannot be caught."""

import os
import signal

from .honest import chunk_quasar as honest


def chunk_quasar(q, k, v, beta, **options):
    if q.shape[1] > 64:
        os.kill(os.getpid(), signal.SIGSTOP)
    return honest(q, k, v, beta, **options)
