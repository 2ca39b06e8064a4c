"""Reads address 0."""

import ctypes

from .honest import chunk_quasar as honest


def chunk_quasar(q, k, v, beta, **options):
    ctypes.string_at(0)
    return honest(q, k, v, beta, **options)
