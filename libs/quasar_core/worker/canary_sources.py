"""The canaries' kernel files: the trusted kernel, and what cheats with it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from quasar_core.contracts.reports import Source
from quasar_core.domain.canaries import Canary
from quasar_core.judge.pinned import baseline_files, source_of

FORGETFUL = b'''\
"""The trusted kernel in two halves: the second remembers nothing."""

import torch

from .chunk import chunk_quasar as right


def chunk_quasar(q, k, v, beta, initial_state=None, output_final_state=False):
    half = q.shape[1] // 128 * 64
    if half == 0:
        return right(q, k, v, beta, initial_state, output_final_state)
    first, _ = right(
        q[:, :half], k[:, :half], v[:, :half], beta, initial_state
    )
    second, state = right(
        q[:, half:], k[:, half:], v[:, half:], beta, None, output_final_state
    )
    return torch.cat((first, second), dim=1), state
'''

SMUGGLER = b'''\
"""Nothing but an import that no kernel may make."""

import subprocess
'''

CHANGES: Mapping[Canary, Mapping[str, bytes]] = MappingProxyType(
    {
        Canary.HONEST: MappingProxyType({}),
        Canary.FORGETFUL: MappingProxyType({"__init__.py": FORGETFUL}),
        Canary.SMUGGLER: MappingProxyType({"smuggler.py": SMUGGLER}),
    }
)
"""What each canary's folder holds beside the trusted kernel, or instead."""


def canary_source(canary: Canary) -> Source:
    """A canary's files, as if somebody had submitted them."""
    return source_of({**baseline_files(), **CHANGES[canary]})
