"""`chunk_quasar`: QuasarAttention over whole sequences, chunk by chunk."""

from __future__ import annotations

import torch

from .chunk_torch import chunk_form
from .dispatch import runs_triton
from .inputs import Inputs, check_inputs, headed, run_form


def chunk_quasar(
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
    """QuasarAttention, the function of `naive_quasar`, chunk by chunk.

    Args:
        q: queries `[B, T, H, S]`, S in {16, 32, 64, 128}.
        k: keys, of the shape and dtype of q.
        v: values, of the shape and dtype of q.
        beta: `[H]`, above 0.
        initial_state: `[N, H, S, S]`, or None for zeros; N is B, or the
            number of sequences in `cu_seqlens`.
        output_final_state: whether the final state is handed back.
        cu_seqlens: `[N + 1]` integers from 0 to T, B = 1, causal only.
        layout: "interleaved" (the memory of q, k, v is head-first) or
            "causal" (head h is head h).

    Returns:
        o `[B, T, H, S]` in the dtype of q, and the final state
        `[N, H, S, S]` or None. States and sums are float64 for float64
        inputs, else float32.

    Raises:
        ValueError: if an argument is not as above.
    """
    inputs = check_inputs(q, k, v, beta, initial_state, cu_seqlens, layout)
    if runs_triton(q):
        o, state = _by_kernels(inputs)
    else:
        o, state = run_form(chunk_form, headed(inputs))
    return o, state if output_final_state else None


def _by_kernels(inputs: Inputs) -> tuple[torch.Tensor, torch.Tensor]:
    """Keeps what gradients need only if one may be asked for."""
    if torch.is_grad_enabled() and any(
        x.requires_grad for x in inputs.tensors
    ):
        from .chunk_backward import chunk_with_gradients

        return chunk_with_gradients(inputs)
    from .chunk_kernels import launch_chunk

    return launch_chunk(inputs)
