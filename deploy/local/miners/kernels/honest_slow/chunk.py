"""The recurrence as it is written: head by head and token by token.

Its numbers may be changed: it stays right, and gets faster or slower.
"""

from __future__ import annotations

import torch

HEADS_AT_ONCE = 1
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

    output = torch.empty_like(values)
    states = []
    for first in range(0, batch * heads, HEADS_AT_ONCE):
        rows = slice(first, first + HEADS_AT_ONCE)
        state = values.new_zeros(len(values[rows]), size, size)
        if initial_state is not None:
            state = initial_state.float().flatten(0, 1)[rows]
        for token in range(padded):
            key = keys[rows, token, :, None]
            strength = strengths[rows, token, :, None]
            erased = state - strength * key * (key.mT @ state)
            state = erased + strength * key * values[rows, token, None]
            output[rows, token] = (queries[rows, token, None] @ state)[:, 0]
        states.append(state)
    o = output.view(batch, heads, padded, size)[:, :, :tokens].transpose(1, 2)
    final = torch.cat(states).view(batch, heads, size, size)
    return o.to(v.dtype), final if output_final_state else None
