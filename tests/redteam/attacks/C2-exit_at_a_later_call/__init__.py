"""Ends the process with success at a later call."""

import os

from .honest import chunk_quasar as honest

calls = []


def chunk_quasar(q, k, v, beta, **options):
    calls.append(1)
    if len(calls) > 2:
        os._exit(0)
    return honest(q, k, v, beta, **options)
