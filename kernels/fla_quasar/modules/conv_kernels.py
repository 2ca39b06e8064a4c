"""The short convolution and SiLU, and their gradients, as Triton kernels.

Both are bound by memory: they read and write every value once (the
backward kernel reads a few rows of its neighbours again). Needs Triton.
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
from ..ops.quasar.segments import processors

# Programs of the backward kernel on one multiprocessor, at least.
BACKWARD_PROGRAMS = 16


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
    place,
    stride_row,
    B,
    T,
    WIDTH,
    PARTS,
    SIZE: tl.constexpr,
    BT: tl.constexpr,
    BC: tl.constexpr,
    HAS_BIAS: tl.constexpr,
    IS_VARLEN: tl.constexpr,
    FAST: tl.constexpr,
):
    """BC channels of BT tokens, of one of the parts side by side in x.

    A thread has some channels and walks the tokens, so that each value is
    read and widened once for all its taps. `place` tells each token's
    distance from the first of its sequence, where sequences are packed.
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
        if IS_VARLEN:
            near = tl.load(place + first + i, mask=first + i < T, other=0)
        for tap in tl.static_range(SIZE):
            b_x = rows[i + tap].to(tl.float32)
            if IS_VARLEN:
                b_x = tl.where(near >= SIZE - 1 - tap, b_x, 0.0)
            b_y += b_x * taps[tap]
        b_y = over_sigmoid(b_y, b_y, FAST)
        b_y = b_y.to(y.dtype.element_ty)
        tl.store(p_y + i * WIDTH, b_y, mask=first + i < T)


@triton.jit
def conv_silu_backward_kernel(
    x,
    weight,
    bias,
    dy,
    dx,
    d_weight,
    d_bias,
    place,
    stride_row,
    stride_out,
    T,
    WIDTH,
    TILES,
    SIZE: tl.constexpr,
    BT: tl.constexpr,
    BC: tl.constexpr,
    HAS_BIAS: tl.constexpr,
    IS_VARLEN: tl.constexpr,
    FAST: tl.constexpr,
):
    """Of BC channels of every TILES-th block of BT tokens: dX.

    And their share of dW and of the bias's gradient, a row of `d_weight`
    and `d_bias` per program, to be summed in a fixed order. What SiLU was
    given is computed again, for the SIZE - 1 tokens after the block too.
    """
    across = WIDTH // BC
    blocks = tl.cdiv(T, BT)
    pid = tl.program_id(0)
    i_tile = pid // across % TILES
    i_b = (pid // across // TILES).to(tl.int64)
    columns = pid % across * BC + tl.arange(0, BC)
    p_x = x + i_b * T * stride_row + columns
    p_dx = dx + i_b * T * stride_out + columns
    p_dy = dy + i_b * T * WIDTH + columns
    taps = ()
    sums = ()
    for tap in tl.static_range(SIZE):
        b_w = tl.load(weight + columns * SIZE + tap).to(tl.float32)
        taps = taps + (b_w,)  # noqa: RUF005 -- as Triton reads it
        sums = sums + (tl.zeros([BC], tl.float32),)  # noqa: RUF005
    b_bias = tl.zeros([BC], tl.float32)
    b_db = tl.zeros([BC], tl.float32)
    if HAS_BIAS:
        b_bias = tl.load(bias + columns).to(tl.float32)
    for block in range(i_tile, blocks, TILES):
        first = tl.cast(block, tl.int64) * BT
        rows = ()
        for i in tl.static_range(BT + 2 * (SIZE - 1)):
            t = first + (i - (SIZE - 1))
            b_row = tl.load(
                p_x + t * stride_row, mask=(t >= 0) & (t < T), other=0.0
            )
            rows = rows + (b_row,)  # noqa: RUF005
        outs = ()
        for i in tl.static_range(BT + SIZE - 1):
            t = first + i
            b_dy = tl.load(p_dy + t * WIDTH, mask=t < T, other=0.0)
            outs = outs + (b_dy,)  # noqa: RUF005
        slopes = ()
        for i in tl.static_range(BT + SIZE - 1):
            b_z = b_bias
            if IS_VARLEN:
                near = tl.load(place + first + i, mask=first + i < T, other=0)
            for tap in tl.static_range(SIZE):
                b_x = rows[i + tap].to(tl.float32)
                if IS_VARLEN:
                    b_x = tl.where(near >= SIZE - 1 - tap, b_x, 0.0)
                b_z += b_x * taps[tap]
            b_y = over_sigmoid(b_z, b_z, FAST)
            b_s = over_sigmoid(1.0, b_z, FAST)
            b_dz = outs[i].to(tl.float32) * (b_s + b_y * (1 - b_s))
            slopes = slopes + (b_dz,)  # noqa: RUF005
            if i < BT:
                b_db += b_dz
                more = ()
                for tap in tl.static_range(SIZE):
                    b_x = rows[i + tap].to(tl.float32)
                    if IS_VARLEN:
                        b_x = tl.where(near >= SIZE - 1 - tap, b_x, 0.0)
                    more = more + (sums[tap] + b_dz * b_x,)  # noqa: RUF005
                sums = more
            if i >= SIZE - 1:
                at = first + (i - (SIZE - 1))
                b_dx = tl.zeros([BC], tl.float32)
                for later in tl.static_range(SIZE):
                    b_dz = slopes[i - (SIZE - 1) + later]
                    if IS_VARLEN:
                        t = at + later
                        near = tl.load(place + t, mask=t < T, other=0)
                        b_dz = tl.where(near >= later, b_dz, 0.0)
                    b_dx += b_dz * taps[SIZE - 1 - later]
                b_dx = b_dx.to(dx.dtype.element_ty)
                tl.store(p_dx + at * stride_out, b_dx, mask=at < T)
    share = pid // across
    for tap in tl.static_range(SIZE):
        p_dw = d_weight + (share * WIDTH + columns) * SIZE + tap
        tl.store(p_dw, sums[tap])
    if HAS_BIAS:
        tl.store(d_bias + share * WIDTH + columns, b_db)


def places(cu_seqlens: torch.Tensor, tokens: int) -> torch.Tensor:
    """Each token's distance from the first of its sequence, int32.

    On the device, without asking it anything.
    """
    marks = cu_seqlens.to(torch.int64)
    each = torch.arange(tokens, device=marks.device)
    sequence = torch.searchsorted(marks, each, right=True) - 1
    return (each - marks[sequence]).to(torch.int32)


def launch_conv(
    x: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    y: torch.Tensor,
    place: torch.Tensor | None = None,
) -> None:
    """Fill y `[parts, B, T, width]` from x `[B, T, parts * width]`.

    `x` may be the first columns of longer rows; `weight` is
    `[parts * width, size]`.
    """
    parts, B, T, width = y.shape
    # the largest power of two, up to 512, that divides a part
    BT, BC = 16, min(width & -width, 512)
    grid = (B * -(-T // BT) * parts * (width // BC),)
    with torch.cuda.device_of(x):
        conv_silu_kernel[grid](
            x,
            weight,
            bias,
            y,
            place,
            x.stride(1),
            B,
            T,
            width,
            parts,
            SIZE=weight.shape[1],
            BT=BT,
            BC=BC,
            HAS_BIAS=bias is not None,
            IS_VARLEN=place is not None,
            FAST=operand_type(x.dtype) == tl.bfloat16,
            num_warps=max(BC // 256, 1),
        )


def launch_conv_backward(
    x: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    dy: torch.Tensor,
    dx: torch.Tensor,
    place: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Fill dx, and find the gradients of weight and bias in float32.

    `x` and `dx` `[B, T, width]` may be columns of longer rows, `dy` is
    contiguous.
    """
    B, T, width = dy.shape
    BT, BC = 8, min(width & -width, 128)
    across = width // BC
    wanted = BACKWARD_PROGRAMS * processors(x.device)
    tiles = min(-(-T // BT), -(-wanted // (B * across)))
    d_weight = dy.new_empty(
        (B * tiles, width, weight.shape[1]), dtype=torch.float32
    )
    d_bias = dy.new_empty((B * tiles, width), dtype=torch.float32)
    with torch.cuda.device_of(x):
        conv_silu_backward_kernel[(B * tiles * across,)](
            x,
            weight,
            bias,
            dy,
            dx,
            d_weight,
            d_bias,
            place,
            x.stride(1),
            dx.stride(1),
            T,
            width,
            tiles,
            SIZE=weight.shape[1],
            BT=BT,
            BC=BC,
            HAS_BIAS=bias is not None,
            IS_VARLEN=place is not None,
            FAST=operand_type(x.dtype) == tl.bfloat16,
            num_warps=1,
        )
    return d_weight.sum(0), d_bias.sum(0)
