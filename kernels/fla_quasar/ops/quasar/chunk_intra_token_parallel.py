"""The stage inside a chunk, one program per tile of tokens.

A program per chunk leaves a device idle where chunks are few (short
sequences) and is large where heads are; a tile of a chunk's rows needs only
that chunk's keys, so tiles are as many and as small as one likes.
"""

from __future__ import annotations

import torch
from torch.nn.functional import pad

from .dispatch import runs_triton
from .forward_substitution import forward_substitution
from .gate import quasar_gate
from .inputs import accumulating_dtype, check_head_dim
from .recompute import recomputed

CHUNK = 64


def chunk_intra_token_parallel(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    beta: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """All of a chunk that does not depend on the state before it.

    With S0 that state, D = U - W S0 and O = Q S0 + scores D.

    Args:
        q: `[B, H, T, S]`, head-first; T is cut into N chunks of 64, with
            zeros at the end.
        k: as q.
        v: as q.
        beta: `[H]`, above 0.

    Returns:
        W `[B, H, N, 64, S]`, U `[B, H, N, 64, S]` and
        scores = lower(Q K^T) `[B, H, N, 64, 64]`, in the accumulating dtype.

    Raises:
        ValueError: if shapes disagree or S is not supported.
    """
    if q.dim() != 4 or q.shape != k.shape or q.shape != v.shape:
        raise ValueError(
            f"q, k and v have shapes {list(q.shape)}, {list(k.shape)} and"
            f" {list(v.shape)}; they must be [B, H, T, S] alike"
        )
    if beta.shape != (q.shape[1],):
        raise ValueError(
            f"beta has shape {list(beta.shape)}; it must be [{q.shape[1]}]"
        )
    check_head_dim(q.shape[3])
    dtype = accumulating_dtype(q.dtype)
    beta = beta.to(dtype)
    if runs_triton(q):
        m, scores = recomputed(_tiles_by_kernel, _tiles, q, k, beta)
    else:
        m, scores = _tiles(q, k, beta)
    k, v = _chunks(k, dtype), _chunks(v, dtype)
    alpha = _gate(k, beta)
    inverse = forward_substitution(m)
    return inverse @ (alpha * k), inverse @ (alpha * v), scores


def _tiles(
    q: torch.Tensor, k: torch.Tensor, beta: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """M and lower(Q K^T) of every chunk, `[B, H, N, BT, BT]`."""
    q, k = _chunks(q, beta.dtype), _chunks(k, beta.dtype)
    m = ((_gate(k, beta) * k) @ k.mT).tril(-1)
    return m, (q @ k.mT).tril()


def _tiles_by_kernel(
    q: torch.Tensor, k: torch.Tensor, beta: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    from .kernels import launch_token_tiles

    return launch_token_tiles(q, k, beta, CHUNK)


def _gate(k: torch.Tensor, beta: torch.Tensor) -> torch.Tensor:
    return quasar_gate(
        (k * k).sum(-1, keepdim=True), beta[:, None, None, None]
    )


def _chunks(x: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    x = pad(x.to(dtype), (0, 0, 0, -x.shape[2] % CHUNK))
    return x.unflatten(2, (-1, CHUNK))
