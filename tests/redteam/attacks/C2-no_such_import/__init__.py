"""Imports a module that is not there."""

import no_such_module

from .honest import chunk_quasar as honest


def chunk_quasar(q, k, v, beta, **options):
    return honest(q, k, v, beta, **options)
