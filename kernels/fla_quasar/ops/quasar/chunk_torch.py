"""The chunk form in PyTorch: batched over chunks, on any device."""

from __future__ import annotations

import torch
from torch.nn.functional import pad

from .forward_substitution import forward_substitution
from .gate import quasar_gate

CHUNK = 64
# Chunks worked on at once: what they need stays in a core's cache, and
# memory does not grow with T beyond inputs and outputs.
SPAN = 16


def chunk_form(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    beta: torch.Tensor,
    state: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    """QuasarAttention by chunks, differentiable by autograd.

    Args:
        q: `[B, H, T, S]`, any strides, any T.
        k: as q.
        v: as q.
        beta: `[H]` in the accumulating dtype.
        state: `[B, H, S, S]` in the accumulating dtype.

    Returns:
        o `[B, H, T, S]` and the state after it, in the accumulating dtype.
    """
    outputs: list[torch.Tensor] = []
    for start in range(0, q.shape[2], SPAN * CHUNK):
        stop = start + SPAN * CHUNK
        o, state = _span(
            q[:, :, start:stop],
            k[:, :, start:stop],
            v[:, :, start:stop],
            beta,
            state,
        )
        outputs.append(o)
    o = torch.cat(outputs, 2) if outputs else v.to(state.dtype)
    return o, state


def _span(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    beta: torch.Tensor,
    state: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    B, H, T, S = q.shape
    q, k, v = (_chunks(x, state.dtype) for x in (q, k, v))  # [N, B, H, BT, S]
    w, u = corrected_factors(k, v, beta)
    states, corrected, state = _carry(k, w, u, state)
    o = q @ states + (q @ k.mT).tril() @ corrected
    o = o.permute(1, 2, 0, 3, 4).reshape(B, H, -1, S)
    return o[:, :, :T], state


def _chunks(x: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """`[B, H, T, S]` cut into chunks `[N, B, H, BT, S]`, zeros at the end.

    A zero key changes no state, so the padding is exact.
    """
    B, H, T, S = x.shape
    x = pad(x.to(dtype), (0, 0, 0, -T % CHUNK))
    return x.reshape(B, H, -1, CHUNK, S).permute(2, 0, 1, 3, 4).contiguous()


def corrected_factors(
    k: torch.Tensor, v: torch.Tensor, beta: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """W = A diag(alpha) K and U = A diag(alpha) V of each chunk.

    A = (I + M)^-1, M = strict_lower(diag(alpha) K K^T); `[..., H, BT, S]`.
    """
    alpha = quasar_gate((k * k).sum(-1, keepdim=True), beta[:, None, None])
    gated = alpha * k
    inverse = forward_substitution((gated @ k.mT).tril(-1))
    return inverse @ gated, inverse @ (alpha * v)


def _carry(
    k: torch.Tensor, w: torch.Tensor, u: torch.Tensor, state: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Walk the chunks: the state before each, D = U - W S of each, the end.

    All sequences and heads take a step together. `unbind` and not indexing:
    the gradient of an index is a tensor of the whole.
    """
    shape = state.shape
    s = state.flatten(0, 1)
    states: list[torch.Tensor] = []
    corrected: list[torch.Tensor] = []
    for k_n, w_n, u_n in zip(
        k.flatten(1, 2).unbind(),
        w.flatten(1, 2).unbind(),
        u.flatten(1, 2).unbind(),
        strict=True,
    ):
        d = torch.baddbmm(u_n, w_n, s, alpha=-1)
        states.append(s)
        corrected.append(d)
        s = torch.baddbmm(s, k_n.mT, d)
    return (
        torch.stack(states).unflatten(1, shape[:2]),
        torch.stack(corrected).unflatten(1, shape[:2]),
        s.view(shape),
    )
