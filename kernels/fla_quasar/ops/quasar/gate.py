"""The gate alpha: how much of what a key points at is overwritten."""

# torch asks a Function for neither vjp nor its own signature
# pylint: disable=abstract-method,arguments-differ
from __future__ import annotations

from typing import Any

import torch

from .dispatch import runs_triton

EPSILON = 1e-8
# x exp(-x) - (1 - exp(-x)) = -x^2/2 + x^3/3 - x^4/8 + ...: the terms
# (-1)^(n+1) (n - 1) / n! for n = 2, 3, ... up to float64's precision at 0.1.
_SERIES = (
    -1 / 2,
    1 / 3,
    -1 / 8,
    1 / 30,
    -1 / 144,
    1 / 840,
    -1 / 5760,
    1 / 45360,
    -1 / 403200,
    1 / 3991680,
)
_SERIES_BELOW = 0.1


def fused_quasar_gate(
    lambda_t: torch.Tensor, beta: torch.Tensor
) -> torch.Tensor:
    """The gate alpha = (1 - exp(-beta lambda)) / (lambda + 1e-8), elementwise.

    Args:
        lambda_t: squared key norms, `[..., H]`, not below 0.
        beta: `[H]`, above 0.

    Returns:
        alpha `[..., H]`, in the dtype that the two promote to.

    Raises:
        ValueError: if the last dimension of `lambda_t` is not beta's.
    """
    if beta.dim() != 1 or lambda_t.shape[-1:] != beta.shape:
        raise ValueError(
            f"lambda_t has shape {list(lambda_t.shape)} and beta"
            f" {list(beta.shape)}; they must be [..., H] and [H]"
        )
    return quasar_gate(lambda_t, beta)


def quasar_gate(lambda_t: torch.Tensor, beta: torch.Tensor) -> torch.Tensor:
    """As `fused_quasar_gate`, for a `beta` already shaped to broadcast."""
    alpha: torch.Tensor = _Gate.apply(*torch.broadcast_tensors(lambda_t, beta))
    return alpha


class _Gate(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, lambda_t: torch.Tensor, beta: torch.Tensor
    ) -> torch.Tensor:
        ctx.save_for_backward(lambda_t, beta)
        if runs_triton(lambda_t) and lambda_t.dtype == beta.dtype:
            from .kernels import launch_gate

            return launch_gate(lambda_t, beta)
        return -torch.expm1(-beta * lambda_t) / (lambda_t + EPSILON)

    @staticmethod
    def backward(
        ctx: Any, *grads: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        lambda_t, beta = ctx.saved_tensors
        kept = torch.exp(-beta * lambda_t)
        shifted = lambda_t + EPSILON
        d_beta = lambda_t * kept / shifted
        slope = _slope(beta * lambda_t) + beta * EPSILON * kept
        d_lambda = slope / shifted / shifted
        return grads[0] * d_lambda, grads[0] * d_beta


def _slope(x: torch.Tensor) -> torch.Tensor:
    """The function x exp(-x) - (1 - exp(-x)), without cancellation near 0.

    Its two terms agree in all but their last digits where beta lambda is
    small, which is where a head remembers for long.
    """
    plain = x * torch.exp(-x) + torch.expm1(-x)
    small = torch.clamp(x, max=_SERIES_BELOW)
    series = torch.full_like(x, _SERIES[-1])
    for term in reversed(_SERIES[:-1]):
        series = series * small + term
    return torch.where(x < _SERIES_BELOW, series * small * small, plain)
