"""The chunk form as Triton kernels: segments in parallel, one scan between.

A chunk acts on the state as an affine map S1 = P S0 + R, and affine maps
compose. So the tokens of each sequence are cut into segments, and

1. `segment_maps_kernel` walks every segment but the last at once, from the
   identity and from zero, which gives its P and its R;
2. `scan_kernel` walks the maps of a sequence: the state before each segment;
3. `replay_kernel` walks every segment at once from its true state, and
   writes the outputs.

With one segment per sequence only the third runs. No kernel keeps anything
of size T but q, k, v and o. Needs Triton.
"""

# the language inside a kernel is Triton's, which pyright does not know
# pyright: reportArgumentType=false, reportCallIssue=false
# pyright: reportGeneralTypeIssues=false
from __future__ import annotations

from dataclasses import dataclass

import torch
import triton
import triton.language as tl

from .inputs import Inputs
from .kernels import (
    gate_of,
    is_interpreted,
    same_strides,
    substitute_rows,
)

# The chunk of these kernels (only the padding of the layout is fixed).
BLOCK_TOKENS = 16
# Segments per sequence: enough programs to fill the largest devices, but
# none so short that its map costs more than it saves.
PROGRAMS = 528
SHORTEST_SEGMENT = 512


@triton.jit
def input_dot(b_x, b_y, SPLIT: tl.constexpr, UPCAST: tl.constexpr):
    """A tile of inputs times a float32 tile, to float32's accuracy or near.

    A bfloat16 input is exact in one product of a tensor core, so only the
    other side is split, into two bfloat16 terms (16 bits of it): two cheap
    products for the three of tf32x3. Float16 has not the range for that.
    """
    if SPLIT:
        b_high = b_y.to(tl.bfloat16)
        b_low = (b_y - b_high.to(tl.float32)).to(tl.bfloat16)
        if UPCAST:
            b_high = b_high.to(tl.float32)
            b_low = b_low.to(tl.float32)
        b_z = tl.dot(b_x, b_low)
        return tl.dot(b_x, b_high, b_z)
    return tl.dot(b_x.to(tl.float32), b_y, input_precision="tf32x3")


@triton.jit
def chunk_solve(b_k, b_beta, BT: tl.constexpr):
    """A diag(alpha) of one chunk `[BT, BT]`, so that D = that (V - K S)."""
    rows = tl.arange(0, BT)
    b_k32 = b_k.to(tl.float32)
    b_alpha = gate_of(tl.sum(b_k32 * b_k32, 1), b_beta)  # [BT]
    b_kk = tl.dot(b_k, tl.trans(b_k), input_precision="tf32x3")
    b_m = b_kk * b_alpha[:, None]
    b_m = tl.where(rows[:, None] > rows[None, :], b_m, 0.0)
    return substitute_rows(b_m, BT) * b_alpha[None, :]


@triton.jit
def segment_of(table, i_s, T, G, SEGMENT, IS_VARLEN: tl.constexpr):
    """A segment's (sequence, row of B, first token, end, is it the last)."""
    if IS_VARLEN:
        i_n = tl.load(table + i_s * 4)
        i_b = i_n * 0
        start = tl.load(table + i_s * 4 + 1)
        stop = tl.load(table + i_s * 4 + 2)
        is_last = tl.load(table + i_s * 4 + 3) == 1
    else:
        i_n = i_s // G
        i_b = i_n
        start = i_s % G * SEGMENT
        stop = tl.minimum(start + SEGMENT, T)
        is_last = i_s % G == G - 1
    return i_n, i_b, start, stop, is_last


@triton.jit
def segment_maps_kernel(
    k,
    v,
    beta,
    maps,
    table,
    stride_b,
    stride_h,
    stride_t,
    T,
    H,
    G,
    SEGMENT,
    S: tl.constexpr,
    BT: tl.constexpr,
    BV: tl.constexpr,
    IS_VARLEN: tl.constexpr,
    SPLIT: tl.constexpr,
    UPCAST: tl.constexpr,
):
    """BV columns of a segment's P (value slices first) or of its R.

    Both obey X1 = X0 + K^T A diag(alpha) (V - K X0): P from the identity
    with V = 0, R from zero.
    """
    i_column = tl.program_id(1)
    i_h = tl.program_id(2).to(tl.int64)
    i_s = tl.program_id(0).to(tl.int64)
    _, i_b, start, stop, is_last = segment_of(
        table, i_s, T, G, SEGMENT, IS_VARLEN
    )
    if is_last:
        return
    is_r = i_column >= S // BV
    rows = tl.arange(0, BT)
    dims = tl.arange(0, S)
    columns = i_column % (S // BV) * BV + tl.arange(0, BV)
    base = i_b * stride_b + i_h * stride_h
    b_beta = tl.load(beta + i_h)
    is_one = (dims[:, None] == columns[None, :]) & (i_column < S // BV)
    b_x = tl.where(is_one, 1.0, 0.0)  # [S, BV]
    for t in range(start, stop, BT):
        p_row = base + (t + rows).to(tl.int64)[:, None] * stride_t
        inside = (t + rows < stop)[:, None]
        b_k = tl.load(k + p_row + dims[None, :], mask=inside, other=0.0)
        b_v = tl.load(
            v + p_row + columns[None, :], mask=inside & is_r, other=0.0
        )  # [BT, BV]
        if UPCAST:
            b_k = b_k.to(tl.float32)
        b_a = chunk_solve(b_k, b_beta, BT)
        b_e = b_v.to(tl.float32) - input_dot(b_k, b_x, SPLIT, UPCAST)
        b_d = tl.dot(b_a, b_e, input_precision="tf32x3")  # [BT, BV]
        b_x += input_dot(tl.trans(b_k), b_d, SPLIT, UPCAST)
    p_map = ((i_s * H + i_h) * 2 + i_column // (S // BV)) * S * S
    tl.store(maps + p_map + dims[:, None] * S + columns[None, :], b_x)


@triton.jit
def scan_kernel(
    maps,
    initial,
    states,
    firsts,
    H,
    G,
    S: tl.constexpr,
    BV: tl.constexpr,
    IS_VARLEN: tl.constexpr,
):
    """The state before each segment of a sequence and head, BV columns."""
    i_v = tl.program_id(0)
    i_nh = tl.program_id(1).to(tl.int64)
    i_n = i_nh // H
    i_h = i_nh % H
    if IS_VARLEN:
        first = tl.load(firsts + i_n)
        last = tl.load(firsts + i_n + 1) - 1
    else:
        first = i_n * G
        last = first + G - 1
    dims = tl.arange(0, S)
    columns = i_v * BV + tl.arange(0, BV)
    square = dims[:, None] * S + columns[None, :]
    whole = dims[:, None] * S + dims[None, :]
    b_s = tl.load(initial + i_nh * S * S + square)  # [S, BV]
    for i in range(first, last):
        p_segment = (i * H + i_h) * S * S
        tl.store(states + p_segment + square, b_s)
        b_p = tl.load(maps + p_segment * 2 + whole)  # [S, S]
        b_r = tl.load(maps + p_segment * 2 + S * S + square)  # [S, BV]
        b_s = tl.dot(b_p, b_s, input_precision="tf32x3") + b_r
    tl.store(states + (last * H + i_h) * S * S + square, b_s)


@triton.jit
def replay_kernel(
    q,
    k,
    v,
    beta,
    states,
    o,
    final,
    table,
    stride_b,
    stride_h,
    stride_t,
    T,
    T_OUT,
    H,
    G,
    SEGMENT,
    S: tl.constexpr,
    BT: tl.constexpr,
    BV: tl.constexpr,
    IS_VARLEN: tl.constexpr,
    SPLIT: tl.constexpr,
    UPCAST: tl.constexpr,
):
    """The outputs of one segment and head, BV of their values."""
    i_v = tl.program_id(1)
    i_h = tl.program_id(2).to(tl.int64)
    i_s = tl.program_id(0).to(tl.int64)
    i_n, i_b, start, stop, is_last = segment_of(
        table, i_s, T, G, SEGMENT, IS_VARLEN
    )
    rows = tl.arange(0, BT)
    dims = tl.arange(0, S)
    values = i_v * BV + tl.arange(0, BV)
    square = dims[:, None] * S + values[None, :]
    base = i_b * stride_b + i_h * stride_h
    base_o = i_b * T_OUT * H * S + i_h * S
    b_beta = tl.load(beta + i_h)
    b_s = tl.load(states + (i_s * H + i_h) * S * S + square)  # [S, BV]
    for t in range(start, stop, BT):
        tokens = (t + rows).to(tl.int64)[:, None]
        p_row = base + tokens * stride_t
        inside = tokens < stop
        b_q = tl.load(q + p_row + dims[None, :], mask=inside, other=0.0)
        b_k = tl.load(k + p_row + dims[None, :], mask=inside, other=0.0)
        b_v = tl.load(v + p_row + values[None, :], mask=inside, other=0.0)
        if UPCAST:
            b_q = b_q.to(tl.float32)
            b_k = b_k.to(tl.float32)
        b_a = chunk_solve(b_k, b_beta, BT)
        b_qk = tl.dot(b_q, tl.trans(b_k), input_precision="tf32x3")
        b_qk = tl.where(rows[:, None] >= rows[None, :], b_qk, 0.0)
        b_e = b_v.to(tl.float32) - input_dot(b_k, b_s, SPLIT, UPCAST)
        b_d = tl.dot(b_a, b_e, input_precision="tf32x3")  # [BT, BV]
        b_o = input_dot(b_q, b_s, SPLIT, UPCAST)
        b_o += tl.dot(b_qk, b_d, input_precision="tf32x3")
        b_s += input_dot(tl.trans(b_k), b_d, SPLIT, UPCAST)
        tl.store(
            o + base_o + tokens * H * S + values[None, :],
            b_o.to(o.dtype.element_ty),
            mask=inside & (tokens < T_OUT),
        )
    if is_last:
        tl.store(final + (i_n * H + i_h) * S * S + square, b_s)


@dataclass(frozen=True)
class Segments:
    """How the sequences are cut.

    Packed sequences: `table` is `[number, 4]` (sequence, first token, end,
    1 if the sequence's last) and `firsts` `[N + 1]` the first segment of
    each, both int64 on the device. Otherwise both are None, and each of the
    B sequences has `per_sequence` segments of `length` tokens.
    """

    number: int
    per_sequence: int
    length: int
    table: torch.Tensor | None
    firsts: torch.Tensor | None


def cut(inputs: Inputs, length: int | None = None) -> Segments:
    """Cut each sequence into segments of `length` tokens, or of our choice.

    Every sequence has at least one, an empty sequence too.
    """
    B, H, T, _ = inputs.q.shape
    length = length or _segment_length(B * H, T)
    if inputs.bounds is None:
        each = -(-T // length)
        return Segments(B * each, each, length, None, None)
    rows: list[tuple[int, int, int, int]] = []
    firsts = [0]
    for n, (start, stop) in enumerate(inputs.bounds):
        begins = range(start, max(stop, start + 1), length)
        rows += [
            (n, begin, min(begin + length, stop), int(begin == begins[-1]))
            for begin in begins
        ]
        firsts.append(len(rows))
    device = inputs.q.device
    return Segments(
        len(rows),
        0,
        length,
        torch.tensor(rows, dtype=torch.int64, device=device),
        torch.tensor(firsts, dtype=torch.int64, device=device),
    )


def _segment_length(heads: int, tokens: int) -> int:
    each = max(PROGRAMS // heads, 1)
    length = max(tokens // each, SHORTEST_SEGMENT)
    return length + -length % BLOCK_TOKENS


def launch_chunk(
    inputs: Inputs, segment_length: int | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Outputs `[B, T, H, S]` and the final states `[N, H, S, S]`."""
    q, k, v = same_strides(inputs.q, inputs.k, inputs.v)
    segments = cut(inputs, segment_length)
    with torch.cuda.device_of(q):
        states = _states_before(k, v, inputs, segments)
        return _replay(q, k, v, states, inputs, segments)


def _states_before(
    k: torch.Tensor, v: torch.Tensor, inputs: Inputs, segments: Segments
) -> torch.Tensor:
    """The state before each segment, `[number, H, S, S]`."""
    initial = inputs.state.contiguous()
    N, H, S, _ = initial.shape
    if segments.number == N:
        return initial
    states = initial.new_empty((segments.number, H, S, S))
    maps = initial.new_empty((segments.number, H, 2, S, S))
    is_varlen = segments.table is not None
    width, warps = tile_of(S, k.dtype)
    segment_maps_kernel[(segments.number, 2 * S // width, H)](
        k,
        v,
        inputs.beta,
        maps,
        segments.table,
        k.stride(0),
        k.stride(1),
        k.stride(2),
        k.shape[2],
        H,
        segments.per_sequence,
        segments.length,
        S=S,
        BT=BLOCK_TOKENS,
        BV=width,
        IS_VARLEN=is_varlen,
        SPLIT=k.dtype == torch.bfloat16,
        UPCAST=is_interpreted(),
        num_warps=warps,
    )
    scan_kernel[(S // 16, N * H)](
        maps,
        initial,
        states,
        segments.firsts,
        H,
        segments.per_sequence,
        S=S,
        BV=16,
        IS_VARLEN=is_varlen,
        num_warps=scan_warps(S),
        num_stages=2,
    )
    return states


def _replay(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    states: torch.Tensor,
    inputs: Inputs,
    segments: Segments,
) -> tuple[torch.Tensor, torch.Tensor]:
    B, H, T, S = q.shape
    o = torch.empty((B, inputs.length, H, S), dtype=q.dtype, device=q.device)
    final = torch.empty_like(inputs.state)
    width, warps = tile_of(S, q.dtype)
    replay_kernel[(segments.number, S // width, H)](
        q,
        k,
        v,
        inputs.beta,
        states,
        o,
        final,
        segments.table,
        q.stride(0),
        q.stride(1),
        q.stride(2),
        T,
        inputs.length,
        H,
        segments.per_sequence,
        segments.length,
        S=S,
        BT=BLOCK_TOKENS,
        BV=width,
        IS_VARLEN=segments.table is not None,
        SPLIT=q.dtype == torch.bfloat16,
        UPCAST=is_interpreted(),
        num_warps=warps,
    )
    return o, final


def tile_of(head_dim: int, dtype: torch.dtype) -> tuple[int, int]:
    """(BV, warps): as much of a state as a program's registers hold.

    Every warp holds a whole tile of keys, so that more warps do not make
    room; the 32-bit keys of 128 dimensions spill with any of these.
    """
    if head_dim == 128:
        return (32, 8) if dtype == torch.bfloat16 else (16, 8)
    return min(head_dim, 32), 2 if dtype == torch.bfloat16 else 4


def scan_warps(head_dim: int) -> int:
    """Warps of a program of the scan, which holds a whole P."""
    return 8 if head_dim == 128 else 4
