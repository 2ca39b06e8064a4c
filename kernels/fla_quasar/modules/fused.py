"""The layer's elementwise parts as two Triton kernels, for inference.

Both are bound by memory: they read what a product wrote, once, and write
what the next one reads, once. Needs Triton.
"""

# the language inside a kernel is Triton's, which pyright does not know
# pyright: reportArgumentType=false, reportCallIssue=false
# pyright: reportGeneralTypeIssues=false, reportOperatorIssue=false
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

import torch
import triton
import triton.language as tl
from triton.language.extra import libdevice

from ..ops.quasar.chunk_kernels import operand_type


@triton.jit
def over_sigmoid(b_x, b_y, FAST: tl.constexpr):
    """The product x sigmoid(y); FAST to 2^-20 or so, enough for bfloat16."""
    if FAST:
        return libdevice.fast_dividef(b_x, 1 + libdevice.fast_expf(-b_y))
    return b_x / (1 + tl.exp(-b_y))


@triton.jit
def conv_silu_kernel(
    x,
    weight,
    bias,
    y,
    stride_row,
    B,
    T,
    WIDTH,
    PARTS,
    SIZE: tl.constexpr,
    BT: tl.constexpr,
    BC: tl.constexpr,
    HAS_BIAS: tl.constexpr,
    FAST: tl.constexpr,
):
    """BC channels of BT tokens, of one of the parts side by side in x.

    A thread has some channels and walks the tokens, so that each value is
    read and widened once for all its taps.
    """
    across = WIDTH // BC
    blocks = tl.cdiv(T, BT)
    pid = tl.program_id(0)
    i_c = pid % across
    i_part = pid // across % PARTS
    first = pid // (across * PARTS) % blocks * BT
    i_b = (pid // (across * PARTS) // blocks).to(tl.int64)
    channels = i_part * WIDTH + i_c * BC + tl.arange(0, BC)
    columns = i_c * BC + tl.arange(0, BC)
    p_x = x + (i_b * T + first) * stride_row + channels
    p_y = y + ((i_part * B + i_b) * T + first) * WIDTH + columns
    rows = ()
    for i in tl.static_range(BT + SIZE - 1):
        t = first + (i - (SIZE - 1))
        b_row = tl.load(
            p_x + (i - (SIZE - 1)) * stride_row,
            mask=(t >= 0) & (t < T),
            other=0.0,
        )
        rows = rows + (b_row,)  # noqa: RUF005 -- as Triton reads it
    taps = ()
    for tap in tl.static_range(SIZE):
        b_w = tl.load(weight + channels * SIZE + tap).to(tl.float32)
        taps = taps + (b_w,)  # noqa: RUF005
    b_bias = tl.zeros([BC], tl.float32)
    if HAS_BIAS:
        b_bias = tl.load(bias + channels).to(tl.float32)
    for i in tl.static_range(BT):
        b_y = b_bias
        for tap in tl.static_range(SIZE):
            b_y += rows[i + tap].to(tl.float32) * taps[tap]
        b_y = over_sigmoid(b_y, b_y, FAST)
        b_y = b_y.to(y.dtype.element_ty)
        tl.store(p_y + i * WIDTH, b_y, mask=first + i < T)


@triton.jit
def gated_norm_kernel(
    o,
    low,
    up,
    bias,
    weight,
    y,
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
        low + start * R + near * R + ranks[None, :], mask=is_row, other=0.0
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


def conv_silu(
    x: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    parts: int,
) -> tuple[torch.Tensor, ...]:
    """A short causal convolution and SiLU of `parts` tensors side by side.

    `x` is `[B, T, parts * width]`, `weight` `[parts * width, size]`; each
    part comes back `[B, T, width]`, contiguous.
    """
    B, T, columns = x.shape
    x = x if x.is_contiguous() else x.contiguous()
    width = columns // parts
    y = x.new_empty((parts, B, T, width))
    # the largest power of two, up to 512, that divides a part
    BT, BC = 16, min(width & -width, 512)
    grid = (B * -(-T // BT) * (columns // BC),)
    with torch.cuda.device_of(x):
        conv_silu_kernel[grid](
            x,
            weight.contiguous(),
            bias,
            y,
            columns,
            B,
            T,
            width,
            parts,
            SIZE=weight.shape[1],
            BT=BT,
            BC=BC,
            HAS_BIAS=bias is not None,
            FAST=operand_type(x.dtype) == tl.bfloat16,
            num_warps=max(BC // 256, 1),
        )
    return y.unbind()


def gated_norm(
    o: torch.Tensor,
    low: torch.Tensor,
    up: torch.Tensor,
    bias: torch.Tensor,
    weight: torch.Tensor,
    eps: float,
) -> torch.Tensor:
    """Per head, o / rms(o) * weight * sigmoid(low up^T + bias).

    `o` is `[B, T, H, S]`, `low` `[B, T, R]` with R a power of two from 16
    on, `up` `[H * S, R]`, `bias` `[H * S]`, `weight` `[S]`. The gate never
    lies in memory.
    """
    B, T, H, S = o.shape
    o, low = o.contiguous(), low.contiguous()
    y = torch.empty_like(o)
    BT = 64
    with torch.cuda.device_of(o):
        gated_norm_kernel[(-(-B * T // BT),)](
            o,
            low,
            up.contiguous(),
            bias,
            weight,
            y,
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
