"""Aborts."""

import os

from .honest import chunk_quasar as honest


def chunk_quasar(q, k, v, beta, **options):
    os.abort()
    return honest(q, k, v, beta, **options)
