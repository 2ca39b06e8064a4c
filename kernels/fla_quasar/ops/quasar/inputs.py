"""What the operators accept, and how they read that memory head by head."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch.nn.functional import pad

PADDING = 64
HEAD_DIMS = (16, 32, 64, 128)
LAYOUTS = ("interleaved", "causal")
DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)

# (q, k, v, beta, state) of one run of tokens -> (o, state after it)
Form = Callable[
    [torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor],
    tuple[torch.Tensor, torch.Tensor],
]


@dataclass(frozen=True)
class Inputs:
    """The arguments of an operator, checked.

    From `read_inputs`, `q`, `k`, `v` are viewed head-first, `[B, H, T', S]`
    (perhaps strided); from `check_inputs` they are `[B, T, H, S]` as they
    were given. Both are in their own dtype. `beta` is `[H]` and `state`
    `[N, H, S, S]` in the accumulating dtype, where N is the number of
    sequences; `length` is the caller's T; `bounds` are the (start, stop) of
    each sequence, or None if there are B of T'.
    """

    q: torch.Tensor
    k: torch.Tensor
    v: torch.Tensor
    beta: torch.Tensor
    state: torch.Tensor
    length: int
    bounds: tuple[tuple[int, int], ...] | None
    layout: str

    @property
    def tensors(self) -> tuple[torch.Tensor, ...]:
        """What a gradient may be asked for."""
        return self.q, self.k, self.v, self.beta, self.state

    @property
    def want_gradients(self) -> bool:
        """Whether a gradient may be asked for."""
        return torch.is_grad_enabled() and any(
            x.requires_grad for x in self.tensors
        )

    def with_tensors(self, *tensors: torch.Tensor) -> Inputs:
        """The same call on other values of `tensors`."""
        q, k, v, beta, state = tensors
        return replace(self, q=q, k=k, v=v, beta=beta, state=state)


def accumulating_dtype(dtype: torch.dtype) -> torch.dtype:
    """The dtype of states and sums: float64 stays, the rest is float32."""
    return torch.float64 if dtype == torch.float64 else torch.float32


def read_inputs(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    beta: torch.Tensor,
    initial_state: torch.Tensor | None,
    cu_seqlens: torch.Tensor | None,
    layout: str,
) -> Inputs:
    """Check every argument and view it head-first.

    Raises ValueError, naming the argument, what it is and what it must be.
    """
    return headed(
        check_inputs(q, k, v, beta, initial_state, cu_seqlens, layout)
    )


def headed(x: Inputs) -> Inputs:
    """What `check_inputs` gave, with q, k, v viewed head-first."""
    q, k, v = (heads_first(t, x.layout) for t in (x.q, x.k, x.v))
    return replace(x, q=q, k=k, v=v)


def check_inputs(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    beta: torch.Tensor,
    initial_state: torch.Tensor | None,
    cu_seqlens: torch.Tensor | None,
    layout: str,
) -> Inputs:
    """As `read_inputs`, with q, k, v left as they are."""
    check_layout(layout)
    _check_qkv(q, k, v)
    _check_beta(beta, q)
    bounds = _read_bounds(cu_seqlens, q, layout)
    number = q.shape[0] if bounds is None else len(bounds)
    dtype = accumulating_dtype(q.dtype)
    return Inputs(
        q,
        k,
        v,
        beta.to(dtype),
        _read_state(initial_state, number, q, dtype),
        q.shape[1],
        bounds,
        layout,
    )


def check_output(out: torch.Tensor, inputs: Inputs) -> None:
    """Raise ValueError unless o can be written to `out`."""
    q = inputs.q
    if (out.shape, out.dtype, out.device) != (q.shape, q.dtype, q.device):
        raise ValueError(
            f"out is {tuple(out.shape)} {out.dtype} on {out.device}; it must"
            f" be {tuple(q.shape)} {q.dtype} on {q.device}, as q is"
        )
    if not out.is_contiguous():
        raise ValueError("out must be contiguous")
    if inputs.want_gradients or out.requires_grad:
        raise ValueError("out cannot be given where gradients are asked for")


def check_layout(layout: str) -> None:
    """Raise ValueError unless `layout` is one of `LAYOUTS`."""
    if layout not in LAYOUTS:
        raise ValueError(
            f"layout is {layout!r}; it must be 'interleaved' (what is raced)"
            " or 'causal' (what a language model needs)"
        )


def check_head_dim(head_dim: int) -> None:
    """Raise ValueError unless `head_dim` is one of `HEAD_DIMS`."""
    if head_dim not in HEAD_DIMS:
        raise ValueError(
            f"the head dimension is {head_dim};"
            f" supported are {', '.join(map(str, HEAD_DIMS))}"
        )


def heads_first(x: torch.Tensor, layout: str) -> torch.Tensor:
    """`[B, T, H, S]` read as `[B, H, T', S]`.

    causal: head h is head h, and T' = T. interleaved: T is padded with
    zero rows to T' = 64 * ceil(T / 64), and the memory is taken as
    head-first, without a transpose: row r = t * H + h becomes position
    r % T' of head r // T'.
    """
    if layout == "causal":
        return x.transpose(1, 2)
    B, T, H, S = x.shape
    missing = -T % PADDING
    if missing:
        x = pad(x, (0, 0, 0, 0, 0, missing))
    return x.contiguous().view(B, H, T + missing, S)


def tokens_first(o: torch.Tensor, length: int) -> torch.Tensor:
    """`[B, H, T', S]` written back as `[B, T, H, S]`, padding dropped."""
    return o[:, :, :length].transpose(1, 2).contiguous()


def run_form(form: Form, inputs: Inputs) -> tuple[torch.Tensor, torch.Tensor]:
    """Apply `form` to each sequence.

    Returns o `[B, T, H, S]` in the dtype of q and the final states
    `[N, H, S, S]` in the accumulating dtype.
    """
    x = inputs
    if x.bounds is None:
        o, states = form(x.q, x.k, x.v, x.beta, x.state)
    else:
        runs = [
            form(
                x.q[:, :, start:stop],
                x.k[:, :, start:stop],
                x.v[:, :, start:stop],
                x.beta,
                x.state[n : n + 1],
            )
            for n, (start, stop) in enumerate(x.bounds)
        ]
        o = torch.cat([run[0] for run in runs], 2)
        states = torch.cat([run[1] for run in runs], 0)
    return tokens_first(o, x.length).to(x.q.dtype), states


def _check_qkv(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> None:
    if q.dim() != 4:
        raise ValueError(
            f"q has shape {list(q.shape)}; it must be [B, T, H, S]"
        )
    for name, x in (("k", k), ("v", v)):
        if x.shape != q.shape:
            raise ValueError(
                f"{name} has shape {list(x.shape)} and q {list(q.shape)};"
                " q, k and v must have the same shape [B, T, H, S]"
            )
        if x.dtype != q.dtype or x.device != q.device:
            raise ValueError(
                f"{name} is {x.dtype} on {x.device} and q is {q.dtype} on"
                f" {q.device}; they must agree"
            )
    if q.dtype not in DTYPES:
        raise ValueError(
            f"q is {q.dtype}; it must be float16, bfloat16, float32 or"
            " float64"
        )
    if 0 in q.shape:
        raise ValueError(
            f"q has shape {list(q.shape)}; no dimension may be empty"
        )
    check_head_dim(q.shape[3])


def _check_beta(beta: torch.Tensor, q: torch.Tensor) -> None:
    if beta.shape != (q.shape[2],):
        raise ValueError(
            f"beta has shape {list(beta.shape)}; it must be"
            f" [{q.shape[2]}], one number per head"
        )
    if not beta.is_floating_point() or beta.device != q.device:
        raise ValueError(
            f"beta is {beta.dtype} on {beta.device}; it must be floating"
            f" point and on {q.device} as q is"
        )


def _read_bounds(
    cu_seqlens: torch.Tensor | None, q: torch.Tensor, layout: str
) -> tuple[tuple[int, int], ...] | None:
    if cu_seqlens is None:
        return None
    if layout != "causal":
        raise ValueError(
            "cu_seqlens needs layout='causal': in the interleaved layout"
            " the boundaries of sequences have no meaning"
        )
    if q.shape[0] != 1:
        raise ValueError(
            f"cu_seqlens needs sequences packed into one row, but B is"
            f" {q.shape[0]}"
        )
    if cu_seqlens.dim() != 1 or cu_seqlens.is_floating_point():
        raise ValueError(
            f"cu_seqlens is {cu_seqlens.dtype} of shape"
            f" {list(cu_seqlens.shape)}; it must be one row of integers"
        )
    marks = [int(mark) for mark in cu_seqlens.tolist()]
    if len(marks) < 2 or marks[0] != 0 or marks[-1] != q.shape[1]:
        raise ValueError(
            f"cu_seqlens must run from 0 to T = {q.shape[1]}, and is"
            f" {marks[:8]}"
        )
    bounds = tuple(pairwise(marks))
    if any(start > stop for start, stop in bounds):
        raise ValueError("cu_seqlens must not decrease")
    return bounds


def _read_state(
    state: torch.Tensor | None,
    number: int,
    q: torch.Tensor,
    dtype: torch.dtype,
) -> torch.Tensor:
    shape = (number, q.shape[2], q.shape[3], q.shape[3])
    if state is None:
        return torch.zeros(shape, dtype=dtype, device=q.device)
    if state.shape != shape:
        raise ValueError(
            f"initial_state has shape {list(state.shape)}; it must be"
            f" {list(shape)}, one [S, S] per sequence and head"
        )
    if not state.is_floating_point() or state.device != q.device:
        raise ValueError(
            f"initial_state is {state.dtype} on {state.device}; it must be"
            f" floating point and on {q.device} as q is"
        )
    return state.to(dtype)
