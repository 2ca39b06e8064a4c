"""Seeds: what binds a run to its chance before the run begins."""

from __future__ import annotations

import hashlib


def seed_commitment(seed: str) -> str:
    """The commitment to a master seed (64 hex digits), without telling it.

    SHA-256 over the seed's bytes, in hex. Raises ValueError for a seed that
    is no hexadecimal text.
    """
    return hashlib.sha256(bytes.fromhex(seed)).hexdigest()
