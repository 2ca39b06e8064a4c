"""The core as one operator that torch.compile takes as it is.

Traced, the core would be a graph as long as the sequence, and its Triton
kernels are chosen by what the device is. Its gradient works out anew what
it needs: under torch.compile alone, a forward pass without its outputs is
added to the backward pass.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch

from ..ops.quasar.chunk import chunk_quasar
from ..ops.quasar.dispatch import runs_triton
from ..ops.quasar.fused_recurrent import fused_recurrent_quasar
from ..ops.quasar.inputs import Inputs, accumulating_dtype, check_inputs

Tensor = torch.Tensor
FORMS = {"chunk": chunk_quasar, "fused_recurrent": fused_recurrent_quasar}
_ARGUMENTS = (
    "Tensor q, Tensor k, Tensor v, Tensor beta, Tensor? initial_state,"
    " Tensor? cu_seqlens, str layout"
)


def opaque_core(
    form: str,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    beta: Tensor,
    initial_state: Tensor | None = None,
    output_final_state: bool = False,
    cu_seqlens: Tensor | None = None,
    *,
    layout: str = "interleaved",
) -> tuple[Tensor, Tensor | None]:
    """The operator of `FORMS[form]`, which a compiler does not look into."""
    o, state = torch.ops.fla_quasar.core(
        q, k, v, beta, initial_state, cu_seqlens, layout, form
    )
    return o, state if output_final_state else None


@torch.library.custom_op(
    "fla_quasar::core",
    mutates_args=(),
    schema=f"({_ARGUMENTS}, str form) -> (Tensor, Tensor)",
)
def _core(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    beta: Tensor,
    initial_state: Tensor | None,
    cu_seqlens: Tensor | None,
    layout: str,
    form: str,
) -> tuple[Tensor, Tensor]:
    with torch.no_grad():
        o, state = FORMS[form](
            q, k, v, beta, initial_state, True, cu_seqlens, layout=layout
        )
    assert state is not None  # noqa: S101 -- it was asked for
    return o, state


@_core.register_fake
def _(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    beta: Tensor,
    initial_state: Tensor | None,
    cu_seqlens: Tensor | None,
    *_: Any,
) -> tuple[Tensor, Tensor]:
    del k, v, beta, initial_state
    B, _T, H, S = q.shape
    number = B if cu_seqlens is None else cu_seqlens.shape[0] - 1
    dtype = accumulating_dtype(q.dtype)
    return q.new_empty(q.shape), q.new_empty((number, H, S, S), dtype=dtype)


@torch.library.custom_op(
    "fla_quasar::core_backward",
    mutates_args=(),
    schema=(
        f"({_ARGUMENTS}, Tensor do, Tensor d_final)"
        " -> (Tensor, Tensor, Tensor, Tensor, Tensor)"
    ),
)
def _core_backward(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    beta: Tensor,
    initial_state: Tensor | None,
    cu_seqlens: Tensor | None,
    layout: str,
    do: Tensor,
    d_final: Tensor,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    inputs = check_inputs(q, k, v, beta, initial_state, cu_seqlens, layout)
    if runs_triton(q):
        from ..ops.quasar.chunk_backward import gradients_of

        grads = gradients_of(inputs, do, d_final)
    else:
        grads = _recorded_gradients(inputs, do, d_final)
    dq, dk, dv, d_beta, d_state = (x.contiguous() for x in grads)
    return dq, dk, dv, d_beta.to(beta.dtype), d_state


def _recorded_gradients(
    inputs: Inputs, do: Tensor, d_final: Tensor
) -> tuple[Tensor, ...]:
    """By autograd, in a thread of its own: inside an operator it is off."""
    x = inputs

    def found() -> tuple[Tensor, ...]:
        leaves = [t.detach().requires_grad_() for t in x.tensors]
        marks = None
        if x.bounds is not None:
            marks = torch.tensor([0, *(stop for _, stop in x.bounds)])
        q, k, v, beta, state = leaves
        o, final = chunk_quasar(
            q, k, v, beta, state, True, marks, layout=x.layout
        )
        assert final is not None  # noqa: S101 -- it was asked for
        return torch.autograd.grad((o, final), leaves, (do, d_final))

    with ThreadPoolExecutor(1) as fresh:
        return fresh.submit(found).result()


@_core_backward.register_fake
def _(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    beta: Tensor,
    initial_state: Tensor | None,
    cu_seqlens: Tensor | None,
    layout: str,
    do: Tensor,
    d_final: Tensor,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    del initial_state, cu_seqlens, layout, do
    dq, dk, dv = (x.new_empty(x.shape) for x in (q, k, v))
    return dq, dk, dv, torch.empty_like(beta), torch.empty_like(d_final)


def _keep(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    del output
    *tensors, ctx.layout, _form = inputs
    ctx.save_for_backward(*tensors)


def _gradient(ctx: Any, do: Tensor, d_final: Tensor) -> tuple[Any, ...]:
    """The chunk form's, for both forms: they are one function."""
    *tensors, cu_seqlens = ctx.saved_tensors
    *grads, d_state = torch.ops.fla_quasar.core_backward(
        *tensors, cu_seqlens, ctx.layout, do, d_final
    )
    state = tensors[4]
    d_state = None if state is None else d_state.to(state.dtype)
    return (*grads, d_state, None, None, None)


_core.register_autograd(_gradient, setup_context=_keep)
