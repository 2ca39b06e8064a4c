"""The layer around the operators."""

from .quasar import DecodingCache, Prepared, QuasarAttention

__all__ = ["DecodingCache", "Prepared", "QuasarAttention"]
