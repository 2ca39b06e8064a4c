"""The triangular solve inside a chunk: A = (I + M)^-1."""

# torch asks a Function for neither vjp nor its own signature
# pylint: disable=abstract-method,arguments-differ
from __future__ import annotations

from typing import Any

import torch

from .dispatch import runs_triton
from .inputs import accumulating_dtype

# Below this a solve by rows is quicker than one by halves.
_SMALLEST_HALVED = 32


def forward_substitution(m: torch.Tensor) -> torch.Tensor:
    """The inverse of the unit lower triangular matrix I + M.

    Args:
        m: `[..., BT, BT]`; only what lies strictly below the diagonal is
            read.

    Returns:
        A `[..., BT, BT]`, unit lower triangular, float64 for float64, else
        float32. Its gradient is dM = -A^T dA A^T, strictly below the
        diagonal.

    Raises:
        ValueError: if `m` is not a batch of square matrices.
    """
    if m.dim() < 2 or m.shape[-1] != m.shape[-2]:
        raise ValueError(
            f"m has shape {list(m.shape)}; it must be [..., BT, BT]"
        )
    inverse: torch.Tensor = _ForwardSubstitution.apply(
        m.to(accumulating_dtype(m.dtype))
    )
    return inverse


class _ForwardSubstitution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, m: torch.Tensor) -> torch.Tensor:
        if runs_triton(m) and m.shape[-1] in (16, 32, 64):
            from .kernels import launch_forward_substitution

            inverse = launch_forward_substitution(m)
        else:
            inverse = _by_halves(m)
        ctx.save_for_backward(inverse)
        return inverse

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> torch.Tensor:
        (inverse,) = ctx.saved_tensors
        across = inverse.mT
        return -(across @ grads[0] @ across).tril(-1)


def _by_halves(m: torch.Tensor) -> torch.Tensor:
    """Invert the two diagonal halves at once, then the corner from them.

    [[A1, 0], [-A2 M21 A1, A2]]: batched products instead of BT - 1
    dependent rows, and exact, unlike a truncated series in M.
    """
    size = m.shape[-1]
    if size < _SMALLEST_HALVED or size % 2:
        identity = torch.eye(size, dtype=m.dtype, device=m.device)
        return torch.linalg.solve_triangular(
            m, identity.expand_as(m), upper=False, unitriangular=True
        )
    half = size // 2
    first, second = _by_halves(
        torch.stack((m[..., :half, :half], m[..., half:, half:]))
    )
    inverse = torch.zeros_like(m)
    inverse[..., :half, :half] = first
    inverse[..., half:, half:] = second
    inverse[..., half:, :half] = -(second @ m[..., half:, :half] @ first)
    return inverse
