"""The entry point of this miner's kernel."""

from .chunk import chunk_quasar

__all__ = ["chunk_quasar"]
