"""RMS normalisation of each head's output, gated by a sigmoid."""

from __future__ import annotations

import torch
from torch import nn


class GatedRMSNorm(nn.Module):
    """y = x / rms(x) * weight * sigmoid(gate), over the last dimension.

    Computed in float32 (float64 for float64), returned in the dtype of x.
    """

    def __init__(self, size: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(size))

    def forward(self, x: torch.Tensor, gate: torch.Tensor) -> torch.Tensor:
        """`x` and `gate` `[..., size]` to the shape and dtype of `x`.

        Raises ValueError if their shapes differ.
        """
        if x.shape != gate.shape or x.shape[-1] != len(self.weight):
            raise ValueError(
                f"x has shape {list(x.shape)} and gate {list(gate.shape)};"
                f" they must be alike and end in {len(self.weight)}"
            )
        wide = torch.promote_types(x.dtype, torch.float32)
        y = x.to(wide)
        y = y * torch.rsqrt(y.square().mean(-1, keepdim=True) + self.eps)
        y = y * self.weight.to(wide) * torch.sigmoid(gate.to(wide))
        return y.to(x.dtype)
