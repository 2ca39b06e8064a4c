"""Gradients for a form that has only a forward: run another, and ask it."""

# torch asks a Function for neither vjp nor its own signature
# pylint: disable=abstract-method,arguments-differ
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from .inputs import Form, Inputs, run_form

Outputs = tuple[torch.Tensor, ...]


def run_kernel(
    launch: Callable[[Inputs], Outputs], form: Form, inputs: Inputs
) -> tuple[torch.Tensor, torch.Tensor]:
    """(o, final states) by `launch`, with the gradients of `form`."""
    o, states = recomputed(
        lambda *tensors: launch(inputs.with_tensors(*tensors)),
        lambda *tensors: run_form(form, inputs.with_tensors(*tensors)),
        *inputs.tensors,
    )
    return o, states


def recomputed(
    forward: Callable[..., Outputs],
    differentiable: Callable[..., Outputs],
    *tensors: torch.Tensor,
) -> Outputs:
    """`forward(*tensors)`, with the gradients of `differentiable`.

    Both compute the same function; the second is run in the backward pass
    only, so nothing but the inputs is kept until then.
    """
    outputs: Outputs = _Recomputed.apply(forward, differentiable, *tensors)
    return outputs


class _Recomputed(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        forward: Callable[..., Outputs],
        differentiable: Callable[..., Outputs],
        *tensors: torch.Tensor,
    ) -> Outputs:
        ctx.differentiable = differentiable
        ctx.save_for_backward(*tensors)
        ctx.set_materialize_grads(False)
        return forward(*tensors)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *grads: torch.Tensor | None
    ) -> Any:
        wanted = ctx.needs_input_grad[2:]
        tensors = [
            x.detach().requires_grad_(needs)
            for x, needs in zip(ctx.saved_tensors, wanted, strict=True)
        ]
        with torch.enable_grad():
            outputs = ctx.differentiable(*tensors)
        reached = [
            (output, grad)
            for output, grad in zip(outputs, grads, strict=True)
            if grad is not None and output.requires_grad
        ]
        inputs = [x for x in tensors if x.requires_grad]
        found = iter(
            torch.autograd.grad(
                [output for output, _ in reached],
                inputs,
                [grad for _, grad in reached],
                allow_unused=True,
            )
        )
        return None, None, *(next(found) if n else None for n in wanted)
