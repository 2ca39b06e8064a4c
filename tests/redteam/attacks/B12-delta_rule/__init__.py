"""Calls fla.ops.delta_rule through importlib."""

import importlib

borrowed = importlib.import_module("fla.ops.delta_rule")
from .honest import chunk_quasar as honest


def chunk_quasar(q, k, v, beta, **options):
    return honest(q, k, v, beta, **options)
