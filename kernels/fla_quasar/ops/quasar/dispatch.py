"""Where a call runs: as Triton kernels, or in PyTorch."""

from __future__ import annotations

from functools import lru_cache

import torch


@lru_cache(maxsize=1)
def triton_state() -> str:
    """What Triton is here: "compiled", "interpreted" or "absent".

    Asked at the first call and not at import, which stays quick and needs
    neither Triton nor a driver.
    """
    try:
        from .kernels import is_interpreted
    except ImportError:
        return "absent"
    return "interpreted" if is_interpreted() else "compiled"


def runs_triton(x: torch.Tensor) -> bool:
    """Whether `x` is worked on by Triton kernels.

    They run on CUDA tensors, and on CPU tensors under `TRITON_INTERPRET=1`.
    Float64 is always PyTorch's: the kernels accumulate in float32.
    """
    if x.dtype == torch.float64:
        return False
    if x.is_cuda:
        return triton_state() != "absent"
    return x.device.type == "cpu" and triton_state() == "interpreted"
