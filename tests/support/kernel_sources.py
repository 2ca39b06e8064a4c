"""Kernels as miners would write them: an honest one, and its mutations."""

from __future__ import annotations

from quasar_core.contracts.reports import Source
from quasar_core.judge.pinned import source_of

HONEST = '''
"""QuasarAttention, chunk by chunk, in plain PyTorch."""

import torch


def chunk_quasar(q, k, v, beta, initial_state=None, output_final_state=False,
                 cu_seqlens=None, **kwargs):
    B, T, H, S = q.shape
    dtype = q.dtype
    q, k, v = (x.float() for x in (q, k, v))
    q, k, v = (x.contiguous().view(B, H, T // 64, 64, S) for x in (q, k, v))
    square = (k * k).sum(-1, keepdim=True)
    alpha = -torch.expm1(-beta.view(1, H, 1, 1, 1) * square) / (square + 1e-8)
    lower = (alpha * (k @ k.mT)).tril(-1)
    right = torch.cat([alpha * k, alpha * v], -1)
    solved = torch.linalg.solve_triangular(
        lower, right, upper=False, unitriangular=True)
    w, u = solved.split(S, -1)
    scores = (q @ k.mT).tril()
    state = initial_state
    if state is None:
        state = torch.zeros(B, H, S, S)
    state = state.to(q.device)
    o = torch.empty_like(v)
    for n in range(T // 64):
        d = u[:, :, n] - w[:, :, n] @ state
        o[:, :, n] = q[:, :, n] @ state + scores[:, :, n] @ d
        state = state + k[:, :, n].mT @ d
    o = o.reshape(B, H, T, S).transpose(1, 2).to(dtype)
    return o, (state if output_final_state else None)
'''


def changed(*changes: tuple[str, str]) -> str:
    """The honest kernel with pieces of its text replaced."""
    text = HONEST
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


def at_the_call(statement: str) -> str:
    """The honest kernel that does something else first, at each call."""
    return changed(
        (
            "    B, T, H, S = q.shape\n",
            f"    {statement}\n    B, T, H, S = q.shape\n",
        )
    )


def at_import(statement: str) -> str:
    """The honest kernel that does something else when it is imported."""
    return changed(("import torch\n", f"import torch\n{statement}\n"))


NO_MASK = changed((".tril()\n", "\n"))
FORGETFUL = changed(("state = state + k[:, :, n].mT @ d", "pass"))


def submission(text: str) -> Source:
    """A source of one file."""
    return source_of({"__init__.py": text.encode()})
