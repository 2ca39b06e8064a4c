"""Leaves the answers to a forked child and ends itself."""

import os

from .honest import chunk_quasar as honest

if os.fork():
    os._exit(0)


def chunk_quasar(q, k, v, beta, **options):
    return honest(q, k, v, beta, **options)
