"""Brings modules of other names along."""

from .honest import chunk_quasar as chunk_quasar
