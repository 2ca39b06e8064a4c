"""The recurrence as it is written: head by head and token by token."""

from __future__ import annotations

import torch

CHUNK = 64


def chunk_quasar(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    beta: torch.Tensor,
    initial_state: torch.Tensor | None = None,
    output_final_state: bool = False,
    cu_seqlens: torch.Tensor | None = None,
    **kwargs: object,
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """QuasarAttention of `[B, T, H, S]` memory that is read head-first.

    Returns o of v's shape and dtype, and the `[B, H, S, S]` float32 state
    where it is asked for.
    """
    if cu_seqlens is not None or kwargs:
        raise ValueError("neither sequence boundaries nor options are known")
    batch, tokens, heads, size = q.shape
    padded = -(-tokens // CHUNK) * CHUNK
    queries, keys, values = (
        torch.nn.functional.pad(x.float(), (0, 0, 0, 0, 0, padded - tokens))
        .contiguous()
        .view(batch * heads, padded, size)
        for x in (q, k, v)
    )
    lengths = keys.square().sum(-1, keepdim=True)
    strengths = -torch.expm1(
        -beta.float().repeat(batch)[:, None, None] * lengths
    ) / (lengths + 1e-8)

    identity = torch.eye(size, device=q.device)
    output = torch.empty_like(values)
    states = []
    for row in range(batch * heads):
        state = values.new_zeros(size, size)
        if initial_state is not None:
            state = initial_state[row // heads, row % heads].float()
        for token in range(padded):
            key = keys[row, token]
            strength = strengths[row, token]
            erase = identity - strength * torch.outer(key, key)
            write = strength * torch.outer(key, values[row, token])
            state = erase @ state + write
            output[row, token] = queries[row, token] @ state
        states.append(state)
    o = output.view(batch, heads, padded, size)[:, :, :tokens].transpose(1, 2)
    final = torch.stack(states).view(batch, heads, size, size)
    return o.to(v.dtype), final if output_final_state else None
