"""A kernel that ends its own process, with nothing that a screen can see."""

from __future__ import annotations

import torch

DEPTH = 200_000


def chunk_quasar(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    beta: torch.Tensor,
    **kwargs: object,
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Overflows the interpreter's own stack: a segmentation fault.

    Iterators nested this deep recurse in C, where no limit of Python's
    holds.
    """
    del q, k, beta, kwargs
    nested = iter(())
    for _ in range(DEPTH):
        nested = filter(None, nested)
    return v, next(nested)
