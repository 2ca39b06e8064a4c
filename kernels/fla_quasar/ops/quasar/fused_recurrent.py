"""`fused_recurrent_quasar`: token by token with a carried state."""

from __future__ import annotations

import torch

from .chunk_torch import chunk_form
from .dispatch import runs_triton
from .gate import quasar_gate
from .inputs import read_inputs, run_form
from .recompute import run_kernel


def fused_recurrent_quasar(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    beta: torch.Tensor,
    initial_state: torch.Tensor | None = None,
    output_final_state: bool = False,
    cu_seqlens: torch.Tensor | None = None,
    *,
    layout: str = "interleaved",
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """QuasarAttention token by token, for decoding.

    The same function, arguments, results and errors as `chunk_quasar`; the
    gradient is the chunk form's.
    """
    inputs = read_inputs(q, k, v, beta, initial_state, cu_seqlens, layout)
    if runs_triton(q):
        from .kernels import launch_recurrent

        o, state = run_kernel(launch_recurrent, chunk_form, inputs)
    else:
        o, state = run_form(recurrent_form, inputs)
    return o, state if output_final_state else None


def recurrent_form(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    beta: torch.Tensor,
    state: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    """One step per token, all sequences and heads together.

    Shapes as in `chunk_form`. A step reads what the key points at, writes
    the gated difference to the value there, and answers the query.
    """
    q, k, v = (x.to(state.dtype) for x in (q, k, v))
    alpha = quasar_gate((k * k).sum(-1, keepdim=True), beta[:, None, None])
    outputs: list[torch.Tensor] = []
    for q_t, k_t, v_t, alpha_t in zip(
        q.unsqueeze(-2).unbind(2),  # [B, H, 1, S]
        k.unsqueeze(-2).unbind(2),
        v.unsqueeze(-2).unbind(2),
        alpha.unsqueeze(-2).unbind(2),
        strict=True,
    ):
        state = state + k_t.mT @ (alpha_t * (v_t - k_t @ state))
        outputs.append(q_t @ state)
    return torch.cat(outputs, 2) if outputs else torch.empty_like(v), state
