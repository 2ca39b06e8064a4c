"""The gated RMS norm, and its gradients, as Triton kernels.

The gate is a low-rank product that never lies in memory: each kernel makes
it anew from the rank's few columns. Needs Triton.
"""

# the language inside a kernel is Triton's, which pyright does not know
# pyright: reportArgumentType=false, reportCallIssue=false
# pyright: reportGeneralTypeIssues=false, reportOperatorIssue=false
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

import torch
import triton
import triton.language as tl

from ..ops.quasar.chunk_kernels import operand_type
from ..ops.quasar.segments import processors
from .conv_kernels import over_sigmoid

# Programs of the backward kernel on one multiprocessor.
BACKWARD_PROGRAMS = 4


@triton.jit
def gated_norm_kernel(
    o,
    low,
    up,
    bias,
    weight,
    y,
    stride_low,
    ROWS,
    H,
    eps,
    S: tl.constexpr,
    R: tl.constexpr,
    BT: tl.constexpr,
    DT: tl.constexpr,
    FAST: tl.constexpr,
):
    """All heads of BT tokens: their RMS norms, and their gates from `low`."""
    start = tl.program_id(0).to(tl.int64) * BT
    near = tl.arange(0, BT)[:, None]
    is_row = start + near < ROWS
    dims = tl.arange(0, S)
    ranks = tl.arange(0, R)
    b_low = tl.load(
        low + start * stride_low + near * stride_low + ranks[None, :],
        mask=is_row,
        other=0.0,
    ).to(DT)
    b_weight = tl.load(weight + dims).to(tl.float32)
    p_o = near * (H * S) + dims[None, :]
    for i_h in tl.range(0, H, num_stages=2):
        at = start * (H * S) + i_h * S
        b_o = tl.load(o + at + p_o, mask=is_row, other=0.0).to(tl.float32)
        channels = i_h * S + dims
        b_up = tl.load(up + channels[:, None] * R + ranks[None, :]).to(DT)
        b_gate = tl.dot(b_low, tl.trans(b_up), input_precision="tf32x3")
        b_gate += tl.load(bias + channels).to(tl.float32)[None, :]
        b_scale = 1 / tl.sqrt(tl.sum(b_o * b_o, 1) / S + eps)
        b_y = b_o * b_scale[:, None] * b_weight[None, :]
        b_y = over_sigmoid(b_y, b_gate, FAST)
        tl.store(y + at + p_o, b_y.to(y.dtype.element_ty), mask=is_row)


@triton.jit
def gated_norm_backward_kernel(
    o,
    low,
    up,
    bias,
    weight,
    dy,
    do,
    d_gate,
    d_weight,
    d_bias,
    stride_low,
    ROWS,
    BLOCKS,
    H,
    eps,
    S: tl.constexpr,
    R: tl.constexpr,
    BT: tl.constexpr,
    DT: tl.constexpr,
    FAST: tl.constexpr,
):
    """One head of every n-th block of BT tokens, n programs to a head.

    With n = o / rms, s = sigmoid(gate) and g = dy * weight * s:
    do = (g - n mean(g n)) / rms and d_gate = dy * n * weight * s (1 - s).
    Sums over tokens are a row of `d_weight` and `d_bias` per program.
    """
    i_h = tl.program_id(0) % H
    i_n = tl.program_id(0) // H
    step = tl.num_programs(0) // H
    near = tl.arange(0, BT)[:, None]
    dims = tl.arange(0, S)
    ranks = tl.arange(0, R)
    channels = i_h * S + dims
    b_up = tl.load(up + channels[:, None] * R + ranks[None, :]).to(DT)
    b_bias = tl.load(bias + channels).to(tl.float32)[None, :]
    b_weight = tl.load(weight + dims).to(tl.float32)[None, :]
    b_dw = tl.zeros([S], tl.float32)
    b_db = tl.zeros([S], tl.float32)
    p_o = near * (H * S) + channels[None, :]
    for block in range(i_n, BLOCKS, step):
        start = tl.cast(block, tl.int64) * BT
        is_row = start + near < ROWS
        at = start * (H * S)
        b_low = tl.load(
            low + start * stride_low + near * stride_low + ranks[None, :],
            mask=is_row,
            other=0.0,
        ).to(DT)
        b_o = tl.load(o + at + p_o, mask=is_row, other=0.0).to(tl.float32)
        b_dy = tl.load(dy + at + p_o, mask=is_row, other=0.0).to(tl.float32)
        b_gate = tl.dot(b_low, tl.trans(b_up), input_precision="tf32x3")
        b_s = over_sigmoid(1.0, b_gate + b_bias, FAST)
        b_scale = 1 / tl.sqrt(tl.sum(b_o * b_o, 1) / S + eps)
        b_n = b_o * b_scale[:, None]
        b_ds = b_dy * b_s
        b_dw += tl.sum(b_ds * b_n, 0)
        b_g = b_ds * b_weight
        b_mean = tl.sum(b_g * b_n, 1) / S
        b_do = (b_g - b_n * b_mean[:, None]) * b_scale[:, None]
        tl.store(do + at + p_o, b_do.to(do.dtype.element_ty), mask=is_row)
        b_dg = b_g * b_n * (1 - b_s)
        b_db += tl.sum(b_dg, 0)
        b_dg = b_dg.to(d_gate.dtype.element_ty)
        tl.store(d_gate + at + p_o, b_dg, mask=is_row)
    tl.store(d_weight + tl.program_id(0) * S + dims, b_dw)
    tl.store(d_bias + i_n * (H * S) + channels, b_db)


def norm_rows(head_dim: int, dtype: torch.dtype) -> int:
    """Tokens of a program of `gated_norm_kernel`."""
    if dtype == torch.bfloat16:
        return 64 if head_dim < 128 else 32
    return 32 if head_dim < 128 else 16


def norm_backward_rows(head_dim: int) -> int:
    """Tokens of a step of `gated_norm_backward_kernel`."""
    return 32 if head_dim < 128 else 16


def launch_norm(
    o: torch.Tensor,
    low: torch.Tensor,
    up: torch.Tensor,
    bias: torch.Tensor,
    weight: torch.Tensor,
    eps: float,
) -> torch.Tensor:
    """Per head, o / rms(o) * weight * sigmoid(low up^T + bias).

    `o` is `[B, T, H, S]`, contiguous; `low` `[B, T, R]`, which may be
    columns of longer rows, with R a power of two from 16 on; `up`
    `[H * S, R]`, `bias` `[H * S]`, `weight` `[S]`.
    """
    B, T, H, S = o.shape
    y = torch.empty_like(o)
    BT = norm_rows(S, o.dtype)
    with torch.cuda.device_of(o):
        gated_norm_kernel[(-(-B * T // BT),)](
            o,
            low,
            up,
            bias,
            weight,
            y,
            low.stride(1),
            B * T,
            H,
            eps,
            S=S,
            R=low.shape[2],
            BT=BT,
            DT=operand_type(o.dtype),
            FAST=operand_type(o.dtype) == tl.bfloat16,
        )
    return y


def launch_norm_backward(
    o: torch.Tensor,
    low: torch.Tensor,
    up: torch.Tensor,
    bias: torch.Tensor,
    weight: torch.Tensor,
    eps: float,
    dy: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """The gradients of o, the gate `[B, T, H * S]`, bias and weight.

    The last two are float32; `dy` is contiguous, the rest as in
    `launch_norm`.
    """
    B, T, H, S = o.shape
    do = torch.empty_like(o)
    d_gate = o.new_empty((B, T, H * S))
    BT = norm_backward_rows(S)
    blocks = -(-B * T // BT)
    each = min(blocks, -(-BACKWARD_PROGRAMS * processors(o.device) // H))
    d_weight = o.new_empty((each * H, S), dtype=torch.float32)
    d_bias = o.new_empty((each, H * S), dtype=torch.float32)
    with torch.cuda.device_of(o):
        gated_norm_backward_kernel[(each * H,)](
            o,
            low,
            up,
            bias,
            weight,
            dy,
            do,
            d_gate,
            d_weight,
            d_bias,
            low.stride(1),
            B * T,
            blocks,
            H,
            eps,
            S=S,
            R=low.shape[2],
            BT=BT,
            DT=operand_type(o.dtype),
            FAST=operand_type(o.dtype) == tl.bfloat16,
        )
    return do, d_gate, d_bias.sum(0), d_weight.sum(0)
