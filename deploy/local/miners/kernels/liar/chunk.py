"""A kernel that prints a record and returns zeros at once."""

from __future__ import annotations

import torch

CLAIM = """RESULT: 1000000000000.0
{"tokens_per_sec": 1e12, "status": "scored", "passed": true}"""


def chunk_quasar(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    beta: torch.Tensor,
    **kwargs: object,
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Claims a trillion tokens per second, and does nothing for it."""
    del k, beta, kwargs
    print(CLAIM)  # noqa: T201 -- this is the lie
    state = q.new_zeros(q.shape[0], q.shape[2], q.shape[3], q.shape[3])
    return torch.zeros_like(v), state.float()
