"""The chunk form that forgets: every chunk starts from an empty state."""

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
    """All of the definition but the state that runs from chunk to chunk."""
    if cu_seqlens is not None or kwargs:
        raise ValueError("neither sequence boundaries nor options are known")
    batch, tokens, heads, size = q.shape
    chunks = -(-tokens // CHUNK)
    queries, keys, values = (
        torch.nn.functional.pad(
            x.float(), (0, 0, 0, 0, 0, chunks * CHUNK - tokens)
        )
        .contiguous()
        .view(batch, heads, chunks, CHUNK, size)
        for x in (q, k, v)
    )
    lengths = keys.square().sum(-1, keepdim=True)
    strengths = -torch.expm1(
        -beta.float()[None, :, None, None, None] * lengths
    ) / (lengths + 1e-8)
    weighted = strengths * keys
    mixing = (weighted @ keys.mT).tril(-1)
    unit = torch.eye(CHUNK, device=q.device)
    weights, updates = torch.linalg.solve_triangular(
        mixing + unit,
        torch.cat((weighted, strengths * values), dim=-1),
        upper=False,
        unitriangular=True,
    ).split(size, dim=-1)

    corrected = updates
    if initial_state is not None:
        corrected = corrected - weights @ initial_state.float().unsqueeze(2)
    scores = (queries @ keys.mT).tril()
    output = scores @ corrected
    if initial_state is not None:
        output = output + queries @ initial_state.float().unsqueeze(2)
    state = (keys.mT @ corrected)[:, :, -1]
    o = output.flatten(2, 3)[:, :, :tokens].transpose(1, 2)
    return o.to(v.dtype), state if output_final_state else None
