"""`chunk_quasar`: QuasarAttention over whole sequences, chunk by chunk."""

from __future__ import annotations

import torch

from .chunk_torch import chunk_form
from .dispatch import runs_triton
from .inputs import Inputs, check_inputs, check_output, headed, run_form


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
    out: torch.Tensor | None = None,
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
        out: where o is to lie: `[B, T, H, S]`, contiguous, in the dtype of
            q, on its device, apart from the inputs; only where no gradient
            is asked for. It is handed back as o.

    Returns:
        o `[B, T, H, S]` in the dtype of q, and the final state
        `[N, H, S, S]` or None. States and sums are float64 for float64
        inputs, else float32.

    Raises:
        ValueError: if an argument is not as above.
    """
    inputs = check_inputs(q, k, v, beta, initial_state, cu_seqlens, layout)
    if out is not None:
        check_output(out, inputs)
    if runs_triton(q):
        o, state = _by_kernels(inputs, out)
    else:
        o, state = run_form(chunk_form, headed(inputs))
        o = o if out is None else out.copy_(o)
    return o, state if output_final_state else None


def _by_kernels(
    inputs: Inputs, out: torch.Tensor | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Keeps what gradients need only if one may be asked for."""
    if inputs.want_gradients:
        from .chunk_backward import chunk_with_gradients

        return chunk_with_gradients(inputs)
    from .chunk_kernels import launch_chunk

    return launch_chunk(inputs, out=out)
