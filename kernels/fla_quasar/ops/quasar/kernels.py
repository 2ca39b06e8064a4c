"""The small Triton kernels: gate, substitution, token tiles, recurrence.

Needs Triton; the operators import this when they first have a use for it.
"""

# the language inside a kernel is Triton's, which pyright does not know
# pyright: reportArgumentType=false, reportCallIssue=false
from __future__ import annotations

import torch
import triton
import triton.language as tl

from .inputs import Inputs


def is_interpreted() -> bool:
    """Whether these kernels were decorated for Triton's interpreter."""
    return not isinstance(gate_kernel, triton.JITFunction)


@triton.jit
def gate_of(b_lambda, b_beta):
    """The gate (1 - exp(-beta lambda)) / (lambda + 1e-8), in float32.

    1 - exp(-x) by its series below 1/8, where the difference cancels.
    """
    b_x = b_beta * b_lambda
    b_small = tl.minimum(b_x, 0.125)
    b_sum = 1 - b_small * (1 / 6)
    b_sum = 1 - b_small * (1 / 5) * b_sum
    b_sum = 1 - b_small * (1 / 4) * b_sum
    b_sum = 1 - b_small * (1 / 3) * b_sum
    b_sum = 1 - b_small * (1 / 2) * b_sum
    b_rise = tl.where(b_x < 0.125, b_small * b_sum, 1 - tl.exp(-b_x))
    return b_rise / (b_lambda + 1e-8)


@triton.jit
def substitute_rows(b_m, BT: tl.constexpr):
    """(I + M)^-1 for a strictly lower M `[BT, BT]`, row by row."""
    rows = tl.arange(0, BT)
    b_a = -b_m
    for i in range(1, BT):
        is_row = (rows == i)[:, None]
        b_row = tl.sum(tl.where(is_row, b_a, 0.0), 0)  # [BT]
        b_row = b_row + tl.sum(b_row[:, None] * b_a, 0)
        b_a = tl.where(is_row, b_row[None, :], b_a)
    return tl.where(rows[:, None] == rows[None, :], 1.0, b_a)


@triton.jit
def gate_kernel(lambda_t, beta, alpha, n, BLOCK: tl.constexpr):
    """Elementwise, over two tensors of n numbers."""
    offsets = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = offsets < n
    b_lambda = tl.load(lambda_t + offsets, mask=inside, other=0.0)
    b_beta = tl.load(beta + offsets, mask=inside, other=0.0)
    b_alpha = gate_of(b_lambda.to(tl.float32), b_beta.to(tl.float32))
    tl.store(alpha + offsets, b_alpha.to(alpha.dtype.element_ty), mask=inside)


@triton.jit
def forward_substitution_kernel(m, inverse, BT: tl.constexpr):
    """One program per matrix."""
    rows = tl.arange(0, BT)
    offsets = rows[:, None] * BT + rows[None, :]
    base = tl.program_id(0).to(tl.int64) * BT * BT
    b_m = tl.load(m + base + offsets)
    b_m = tl.where(rows[:, None] > rows[None, :], b_m, 0.0)
    tl.store(inverse + base + offsets, substitute_rows(b_m, BT))


@triton.jit
def token_tile_kernel(
    q,
    k,
    beta,
    m,
    scores,
    stride_b,
    stride_h,
    stride_t,
    T,
    H,
    S: tl.constexpr,
    BT: tl.constexpr,
    BC: tl.constexpr,
    UPCAST: tl.constexpr,
):
    """BC rows of M and of lower(Q K^T): one program per tile of tokens."""
    i_tile = tl.program_id(0)
    i_bh = tl.program_id(1).to(tl.int64)
    i_h = i_bh % H
    base = i_bh // H * stride_b + i_h * stride_h
    rows = i_tile * BC + tl.arange(0, BC)
    columns = i_tile * BC // BT * BT + tl.arange(0, BT)
    dims = tl.arange(0, S)
    p_rows = base + rows.to(tl.int64)[:, None] * stride_t + dims[None, :]
    p_columns = base + columns.to(tl.int64)[:, None] * stride_t
    b_q = tl.load(q + p_rows, mask=(rows < T)[:, None], other=0.0)  # [BC, S]
    b_k = tl.load(k + p_rows, mask=(rows < T)[:, None], other=0.0)  # [BC, S]
    b_keys = tl.load(
        k + p_columns + dims[None, :],
        mask=(columns < T)[:, None],
        other=0.0,
    )  # [BT, S]
    if UPCAST:
        b_q = b_q.to(tl.float32)
        b_k = b_k.to(tl.float32)
        b_keys = b_keys.to(tl.float32)
    b_norm = tl.sum(b_k.to(tl.float32) * b_k.to(tl.float32), 1)
    b_alpha = gate_of(b_norm, tl.load(beta + i_h))
    b_keys = tl.trans(b_keys)
    b_m = tl.dot(b_k, b_keys, input_precision="tf32x3") * b_alpha[:, None]
    b_scores = tl.dot(b_q, b_keys, input_precision="tf32x3")
    p_out = (i_bh * tl.num_programs(0) * BC + rows[:, None]) * BT + tl.arange(
        0, BT
    )[None, :]
    below = rows[:, None] > columns[None, :]
    tl.store(m + p_out, tl.where(below, b_m, 0.0))
    upto = rows[:, None] >= columns[None, :]
    tl.store(scores + p_out, tl.where(upto, b_scores, 0.0))


@triton.jit
def recurrent_kernel(
    q,
    k,
    v,
    beta,
    initial,
    o,
    final,
    cu_seqlens,
    stride_b,
    stride_h,
    stride_t,
    T,
    T_OUT,
    H,
    S: tl.constexpr,
    BV: tl.constexpr,
    IS_VARLEN: tl.constexpr,
):
    """One program per sequence, head and slice of values: all its tokens."""
    i_v = tl.program_id(0)
    i_nh = tl.program_id(1).to(tl.int64)
    i_n = i_nh // H
    i_h = i_nh % H
    if IS_VARLEN:
        start = tl.load(cu_seqlens + i_n)
        stop = tl.load(cu_seqlens + i_n + 1)
        row = i_h * stride_h + start * stride_t
        row_o = start * H * S + i_h * S
    else:
        start = 0
        stop = T
        row = i_n * stride_b + i_h * stride_h
        row_o = i_n * T_OUT * H * S + i_h * S
    dims = tl.arange(0, S)
    values = i_v * BV + tl.arange(0, BV)
    square = i_nh * S * S + dims[:, None] * S + values[None, :]
    b_s = tl.load(initial + square)  # [S, BV]
    b_beta = tl.load(beta + i_h)
    for t in range(start, stop):
        b_q = tl.load(q + row + dims).to(tl.float32)
        b_k = tl.load(k + row + dims).to(tl.float32)
        b_v = tl.load(v + row + values).to(tl.float32)
        b_alpha = gate_of(tl.sum(b_k * b_k, 0), b_beta)
        b_d = b_alpha * (b_v - tl.sum(b_k[:, None] * b_s, 0))
        b_s += b_k[:, None] * b_d[None, :]
        b_o = tl.sum(b_q[:, None] * b_s, 0).to(o.dtype.element_ty)
        tl.store(o + row_o + values, b_o, mask=(values < S) & (t < T_OUT))
        row += stride_t
        row_o += H * S
    tl.store(final + square, b_s)


def launch_gate(lambda_t: torch.Tensor, beta: torch.Tensor) -> torch.Tensor:
    """`gate_kernel` over two tensors of one shape."""
    lambda_t, beta = lambda_t.contiguous(), beta.contiguous()
    alpha = torch.empty_like(lambda_t)
    n = alpha.numel()
    with torch.cuda.device_of(alpha):
        gate_kernel[(-(-n // 1024),)](lambda_t, beta, alpha, n, BLOCK=1024)
    return alpha


def launch_forward_substitution(m: torch.Tensor) -> torch.Tensor:
    """`forward_substitution_kernel` over `[..., BT, BT]` in float32."""
    m = m.contiguous()
    inverse = torch.empty_like(m)
    size = m.shape[-1]
    with torch.cuda.device_of(m):
        forward_substitution_kernel[(m.numel() // size**2,)](
            m, inverse, BT=size
        )
    return inverse


def launch_token_tiles(
    q: torch.Tensor, k: torch.Tensor, beta: torch.Tensor, chunk: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """M and lower(Q K^T), `[B, H, N, BT, BT]`, of q, k `[B, H, T, S]`."""
    q, k = q.contiguous(), k.contiguous()
    B, H, T, S = q.shape
    tile = 16
    shape = (B, H, -(-T // chunk), chunk, chunk)
    m = torch.empty(shape, dtype=torch.float32, device=q.device)
    scores = torch.empty_like(m)
    with torch.cuda.device_of(q):
        token_tile_kernel[(shape[2] * chunk // tile, B * H)](
            q,
            k,
            beta.float(),
            m,
            scores,
            q.stride(0),
            q.stride(1),
            q.stride(2),
            T,
            H,
            S=S,
            BT=chunk,
            BC=tile,
            UPCAST=is_interpreted(),
        )
    return m, scores


def launch_recurrent(inputs: Inputs) -> tuple[torch.Tensor, torch.Tensor]:
    """Outputs `[B, T, H, S]` and the final states `[N, H, S, S]`."""
    q, k, v = same_strides(inputs.q, inputs.k, inputs.v)
    B, H, T, S = q.shape
    o = torch.empty((B, inputs.length, H, S), dtype=q.dtype, device=q.device)
    initial = inputs.state.contiguous()
    final = torch.empty_like(initial)
    width = min(S, 32)
    with torch.cuda.device_of(q):
        recurrent_kernel[(S // width, initial.shape[0] * H)](
            q,
            k,
            v,
            inputs.beta,
            initial,
            o,
            final,
            sequence_marks(inputs),
            q.stride(0),
            q.stride(1),
            q.stride(2),
            T,
            inputs.length,
            H,
            S=S,
            BV=width,
            IS_VARLEN=inputs.bounds is not None,
        )
    return o, final


def sequence_marks(inputs: Inputs) -> torch.Tensor | None:
    """The boundaries of packed sequences `[N + 1]` on the device."""
    if inputs.bounds is None:
        return None
    marks = [0, *(stop for _, stop in inputs.bounds)]
    return torch.tensor(marks, dtype=torch.int64, device=inputs.q.device)


def same_strides(*tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """The tensors as they are, or copied where their strides differ."""
    strides = {x.stride() for x in tensors}
    if len(strides) == 1 and tensors[0].stride(-1) == 1:
        return tensors
    return tuple(x.contiguous() for x in tensors)
