"""The truth: QuasarAttention token by token, as it is defined."""

from __future__ import annotations

import torch

from .inputs import read_inputs, run_form

EPSILON = 1e-8


def naive_quasar(
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
    """QuasarAttention by its recurrence, differentiable by autograd.

    Per head, with row vectors and a state `[S, S]`:

        lambda_t = ||k_t||^2
        alpha_t  = (1 - exp(-beta lambda_t)) / (lambda_t + 1e-8)
        S_t      = (I - alpha_t k_t^T k_t) S_{t-1} + alpha_t k_t^T v_t
        o_t      = q_t S_t

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
    inputs = read_inputs(q, k, v, beta, initial_state, cu_seqlens, layout)
    o, state = run_form(_recurrence, inputs)
    return o, state if output_final_state else None


def _recurrence(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    beta: torch.Tensor,
    state: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    q, k, v = (x.to(state.dtype) for x in (q, k, v))
    # (I - alpha k^T k) S + alpha k^T v = S + alpha k^T (v - k S)
    lambda_t = (k * k).sum(-1)  # [B, H, T]
    alpha = -torch.expm1(-beta[:, None] * lambda_t) / (lambda_t + EPSILON)
    outputs: list[torch.Tensor] = []
    for q_t, k_t, v_t, alpha_t in zip(
        q.unbind(2), k.unbind(2), v.unbind(2), alpha.unbind(2), strict=True
    ):
        read = torch.einsum("bhk,bhkv->bhv", k_t, state)
        write = torch.einsum(
            "bhk,bhv->bhkv", alpha_t[..., None] * k_t, v_t - read
        )
        state = state + write
        outputs.append(torch.einsum("bhk,bhkv->bhv", q_t, state))
    return torch.stack(outputs, 2) if outputs else torch.empty_like(v), state
