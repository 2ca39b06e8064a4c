"""Where a call runs: as Triton kernels, or in PyTorch."""

from __future__ import annotations

import torch

# The one answer of `triton_state`, once it has been asked.
FOUND: dict[str, str] = {}


def triton_state() -> str:
    """What Triton is here: "compiled", "interpreted" or "absent".

    Asked at the first call and not at import, which stays quick and needs
    neither Triton nor a driver. Kept in a plain dictionary, which
    torch.compile can read.
    """
    if "triton" not in FOUND:
        FOUND["triton"] = _find_triton()
    return FOUND["triton"]


def _find_triton() -> str:
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
