"""The recurrence as it is defined."""

import torch


def chunk_quasar(
    q,
    k,
    v,
    beta,
    initial_state=None,
    output_final_state=False,
    cu_seqlens=None,
    **kwargs,
):
    B, T, H, S = q.shape
    q, k, v = (x.contiguous().view(B, H, T, S) for x in (q, k, v))
    square = (k * k).sum(-1)
    alpha = -torch.expm1(-beta.view(1, H, 1) * square) / (square + 1e-8)
    state = initial_state
    if state is None:
        state = torch.zeros(B, H, S, S)
    o = torch.empty_like(v)
    for t in range(T):
        key = k[:, :, t, None]
        read = key @ state
        write = alpha[:, :, t, None, None] * (v[:, :, t, None] - read)
        state = state + key.mT @ write
        o[:, :, t] = (q[:, :, t, None] @ state)[:, :, 0]
    return o.transpose(1, 2), (state if output_final_state else None)
