"""Somebody else's kernel under our name: an import the rules forbid."""

from __future__ import annotations

from typing import Any

import torch
from fla.ops import kda


def chunk_quasar(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    beta: torch.Tensor,
    **kwargs: object,
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Hands the whole work to a kernel that is not in this race."""
    del kwargs
    gates = torch.zeros_like(k)
    rates = beta.expand(q.shape[:3]).contiguous()
    kernel: Any = kda.chunk_kda
    return kernel(q=q, k=k, v=v, g=gates, beta=rates, scale=1.0)
