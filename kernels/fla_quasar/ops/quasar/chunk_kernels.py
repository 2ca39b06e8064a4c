"""The chunk form as Triton kernels: segments in parallel, one scan between.

A chunk acts on the state as an affine map S1 = P S0 + R, and affine maps
compose. So each sequence is cut into segments, and

1. `solve_kernel` finds G = (I + M)^-1 diag(alpha) of every chunk at once;
2. `segment_maps_kernel` walks every segment but the last at once, from the
   identity and from zero, which gives its P and its R;
3. `scan_kernel` walks the maps of a sequence: the state before each segment;
4. `replay_kernel` walks every segment at once from its true state, and
   writes the outputs.

The state is kept transposed, S^T, a row per value column: then in every
product with it the state, or what was just computed from it, is the left
operand, which a tensor core takes from registers, and the right operand is
a tile of inputs as it lies in shared memory. Nothing on the serial chain
goes through shared memory. G is all that is stored of size T: half of one
input for bfloat16 at S = 64. Needs Triton.
"""

# the language inside a kernel is Triton's, which pyright does not know
# pyright: reportArgumentType=false, reportCallIssue=false
# pyright: reportGeneralTypeIssues=false, reportIndexIssue=false
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import triton
import triton.language as tl

from .inputs import Inputs
from .kernels import gate_of, is_interpreted
from .segments import Memory, Segments, cut, processors, read_memory

# Programs of `solve_kernel` on one multiprocessor.
SOLVERS = 16
# Sizes of which the values 1 and 16 n get no kernels of their own.
SIZES = ["T", "T_OUT", "LAST", "PITCH", "B", "H", "G", "NC", "CPS", "TOTAL"]


@triton.jit(do_not_specialize=SIZES)
def solve_kernel(
    k,
    beta,
    solved,
    scratch,
    spans,
    stride_b,
    stride_h,
    stride_t,
    T,
    LAST,
    PITCH,
    B,
    H,
    NC,
    TOTAL,
    S: tl.constexpr,
    C: tl.constexpr,
    NCP: tl.constexpr,
    IS_VARLEN: tl.constexpr,
    FINE: tl.constexpr,
    DT: tl.constexpr,
):
    """G = (I + M)^-1 diag(alpha), exactly, NCP chunks at a time.

    If FINE, what rounding took off G follows it, a matrix of its own.

    Blocks of 16 rows by forward substitution, one lane per column of the
    inverse: its rows stay in registers, and an element of M is a broadcast
    load from a scratch that does not leave the L1 cache, since the grid is
    as large as the device and not as the sequence. The corner of a chunk of
    32 (bfloat16 alone, so tf32 is enough) follows from its two blocks.
    """
    pid = tl.program_id(0)
    o_n = tl.arange(0, NCP)
    o_c = tl.arange(0, C)
    o_s = tl.arange(0, S)
    o_b = tl.arange(0, 16)
    base = scratch + pid.to(tl.int64) * (NCP * C * C)
    p_square = o_c[None, :, None] * C + o_c[None, None, :]
    p_chunk = base + o_n[:, None, None] * (C * C) + p_square
    lane = tl.arange(0, NCP * C)
    col = lane % 16
    block = lane // 16
    p_m = base + (block // (C // 16)) * (C * C)
    p_m = p_m + (block % (C // 16)) * (16 * C + 16)
    o_block = o_b[None, :, None] * C + o_b[None, None, :]
    p_block = base + o_n[:, None, None] * (C * C) + o_block
    for i in tl.range(pid, TOTAL, tl.num_programs(0)):
        i_g = i * NCP + o_n  # chunks, counted over all rows and heads
        i_c = i_g % NC
        i_h = ((i_g // NC) % H).to(tl.int64)
        i_b = (i_g // NC // H).to(tl.int64)
        is_chunk = i_b < B
        if IS_VARLEN:
            start = tl.load(spans + i_c * 2).to(tl.int32)
            stop = tl.load(spans + i_c * 2 + 1).to(tl.int32)
        else:
            start = i_c * C
            stop = tl.minimum(T, LAST - i_h * PITCH).to(tl.int32)
        b_beta = tl.load(beta + i_h)
        o_t = start[:, None] + o_c[None, :]  # [NCP, C]
        inside = (o_t < stop[:, None]) & is_chunk[:, None]
        p_k = (i_b * stride_b + i_h * stride_h)[:, None]
        p_k = p_k + o_t.to(tl.int64) * stride_t
        b_k = tl.load(
            k + p_k[:, :, None] + o_s[None, None, :],
            mask=inside[:, :, None],
            other=0.0,
        ).to(DT)
        b_k32 = b_k.to(tl.float32)
        b_alpha = gate_of(tl.sum(b_k32 * b_k32, 2), b_beta[:, None])
        b_m = tl.dot(b_k, tl.permute(b_k, (0, 2, 1)), input_precision="tf32x3")
        b_m = b_m * b_alpha[:, :, None]
        tl.debug_barrier()
        tl.store(p_chunk, b_m)
        tl.debug_barrier()
        rows = (tl.where(col == 0, 1.0, 0.0),)
        for x in tl.static_range(1, 16):
            b_row = tl.where(col == x, 1.0, 0.0)
            for y in tl.static_range(x):
                b_row -= tl.load(p_m + (x * C + y)) * rows[y]
            rows = rows + (b_row,)  # noqa: RUF005 -- as Triton reads it
        tl.debug_barrier()
        for x in tl.static_range(16):
            tl.store(p_m + x * C + col, rows[x])
        tl.debug_barrier()
        p_g = solved + o_block
        p_g += i_g.to(tl.int64)[:, None, None] * (C * C * (1 + FINE))
        out = solved.dtype.element_ty
        own = is_chunk[:, None, None]
        b_a1 = tl.load(p_block)
        if C == 16:
            store_block(p_g, b_a1 * b_alpha[:, None, :], own, C, FINE)
        else:
            b_a2 = tl.load(p_block + (16 * C + 16))
            b_m21 = tl.load(p_block + 16 * C)
            PRODUCT: tl.constexpr = "tf32x3" if FINE else "tf32"
            b_a21 = tl.dot(b_a2, b_m21, input_precision=PRODUCT)
            b_a21 = -tl.dot(b_a21, b_a1, input_precision=PRODUCT)
            b_halves = tl.permute(tl.reshape(b_alpha, (NCP, 2, 16)), (0, 2, 1))
            b_alpha1, b_alpha2 = tl.split(b_halves)
            b_g1 = b_a1 * b_alpha1[:, None, :]
            b_g21 = b_a21 * b_alpha1[:, None, :]
            b_g2 = b_a2 * b_alpha2[:, None, :]
            store_block(p_g, b_g1, own, C, FINE)
            tl.store(p_g + 16, tl.zeros([NCP, 16, 16], out), mask=own)
            store_block(p_g + 16 * C, b_g21, own, C, FINE)
            store_block(p_g + (16 * C + 16), b_g2, own, C, FINE)
            if FINE:
                p_rest = p_g + (C * C + 16)
                tl.store(p_rest, tl.zeros([NCP, 16, 16], out), mask=own)


@triton.jit
def store_block(p_g, b_g, own, C: tl.constexpr, FINE: tl.constexpr):
    """A block of G as it is rounded, and if FINE what that took off."""
    b_near = b_g.to(p_g.dtype.element_ty)
    tl.store(p_g, b_near, mask=own)
    if FINE:
        b_rest = b_g - b_near.to(tl.float32)
        tl.store(p_g + C * C, b_rest.to(p_g.dtype.element_ty), mask=own)


@triton.jit
def segment_of(
    table, i_s, i_h, T, LAST, PITCH, NC, CPS, G, C, IS_VARLEN: tl.constexpr
):
    """A segment's (first token, end, first chunk, chunks, is last, first)."""
    if IS_VARLEN:
        start = tl.load(table + i_s * 6 + 1).to(tl.int32)
        stop = tl.load(table + i_s * 6 + 2).to(tl.int32)
        chunk = tl.load(table + i_s * 6 + 3)
        chunks = tl.load(table + i_s * 6 + 4).to(tl.int32)
        place = tl.load(table + i_s * 6 + 5)
        is_last = place % 2 == 1
        is_first = place >= 2
    else:
        chunk = i_s * CPS
        chunks = tl.minimum(CPS, NC - chunk)
        start = chunk * C
        stop = tl.minimum(T, LAST - i_h * PITCH).to(tl.int32)
        is_last = i_s == G - 1
        is_first = i_s == 0
    return start, stop, chunk, chunks, is_last, is_first


@triton.jit(do_not_specialize=SIZES)
def segment_maps_kernel(
    k,
    v,
    solved,
    maps,
    table,
    stride_b,
    stride_h,
    stride_t,
    T,
    LAST,
    PITCH,
    H,
    G,
    NC,
    CPS,
    S: tl.constexpr,
    C: tl.constexpr,
    BM: tl.constexpr,
    OF_ALL: tl.constexpr,
    IS_VARLEN: tl.constexpr,
    FINE: tl.constexpr,
    DT: tl.constexpr,
    STAGES: tl.constexpr,
):
    """BM rows of a segment's P^T (its rows first) and R^T, `[2 S, S]`.

    Of a sequence's last segment only if `OF_ALL`: no state follows it.

    Both obey X1 = X0 + K^T G (V - K X0): P from the identity with V = 0,
    R from zero.
    """
    pid = tl.program_id(0)
    i_m = pid % (2 * S // BM)
    slot = (pid // (2 * S // BM)).to(tl.int64)
    i_s = (slot % G).to(tl.int32)
    i_bh = slot // G
    i_h = i_bh % H
    start, stop, chunk, chunks, is_last, _ = segment_of(
        table, i_s, i_h, T, LAST, PITCH, NC, CPS, G, C, IS_VARLEN
    )
    if is_last and not OF_ALL:
        return
    o_m = i_m * BM + tl.arange(0, BM)
    o_s = tl.arange(0, S)
    o_c = tl.arange(0, C)
    base = i_bh // H * stride_b + i_h * stride_h
    p_k = k + base + o_s[None, :]
    p_v = v + base + (o_m[None, :] - S)
    p_g = solved + (i_bh * NC + chunk) * (C * C * (1 + FINE))
    p_g = p_g + o_c[:, None] * C + o_c[None, :]
    b_x = tl.where(o_m[:, None] == o_s[None, :], 1.0, 0.0)
    for c in tl.range(0, chunks, num_stages=STAGES):
        o_t = start + c * C + o_c
        inside = (o_t < stop)[:, None]
        p_row = o_t.to(tl.int64)[:, None] * stride_t
        b_k = tl.load(p_k + p_row, mask=inside, other=0.0).to(DT)
        p_here = p_g + tl.cast(c, tl.int64) * (C * C * (1 + FINE))
        b_g = tl.load(p_here).to(DT)
        is_value = inside & (o_m >= S)[None, :]
        b_v = tl.load(p_v + p_row, mask=is_value, other=0.0).to(DT)
        b_g = tl.trans(b_g)
        b_e = tl.dot(b_x.to(DT), tl.trans(b_k), input_precision="tf32x3")
        b_d = tl.dot(tl.trans(b_v), b_g, input_precision="tf32x3")
        b_d = tl.dot((-b_e).to(DT), b_g, b_d, input_precision="tf32x3")
        if FINE:
            b_g = tl.trans(tl.load(p_here + C * C).to(DT))
            b_d = tl.dot(tl.trans(b_v), b_g, b_d, input_precision="tf32x3")
            b_d = tl.dot((-b_e).to(DT), b_g, b_d, input_precision="tf32x3")
        b_x = tl.dot(b_d.to(DT), b_k, b_x, input_precision="tf32x3")
    p_x = maps + (slot * 2 * S + o_m[:, None]) * S + o_s[None, :]
    tl.store(p_x, b_x)


@triton.jit(do_not_specialize=SIZES)
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
    STAGES: tl.constexpr,
):
    """S^T before each segment of a sequence and head, BV rows of it."""
    i_v = tl.program_id(0) % (S // BV)
    i_nh = (tl.program_id(0) // (S // BV)).to(tl.int64)
    if IS_VARLEN:
        i_n = i_nh // H
        first = i_nh % H * G + tl.load(firsts + i_n)
        last = i_nh % H * G + tl.load(firsts + i_n + 1) - 1
    else:
        first = i_nh * G
        last = first + G - 1
    o_s = tl.arange(0, S)
    o_v = i_v * BV + tl.arange(0, BV)
    o_across = o_s[None, :] * S + o_v[:, None]
    b_s = tl.load(initial + i_nh * S * S + o_across)  # [BV, S]
    o_p = o_s[:, None] * S + o_s[None, :]
    o_r = o_v[:, None] * S + o_s[None, :]
    p_p = maps + first * (2 * S * S) + o_p
    p_r = maps + first * (2 * S * S) + S * S + o_r
    p_s = states + first * (S * S) + o_r
    steps = (last - first).to(tl.int32)
    for i in tl.range(0, steps, num_stages=STAGES):
        at = tl.cast(i, tl.int64) * (S * S)
        tl.store(p_s + at, b_s)
        b_p = tl.load(p_p + 2 * at)
        b_r = tl.load(p_r + 2 * at)
        b_s = tl.dot(b_s, b_p, b_r, input_precision="tf32x3")
    tl.store(states + last * (S * S) + o_r, b_s)


@triton.jit(do_not_specialize=SIZES)
def replay_kernel(
    q,
    k,
    v,
    solved,
    states,
    o,
    final,
    table,
    stride_b,
    stride_h,
    stride_t,
    T,
    T_OUT,
    LAST,
    PITCH,
    H,
    G,
    NC,
    CPS,
    S: tl.constexpr,
    C: tl.constexpr,
    BV: tl.constexpr,
    IS_VARLEN: tl.constexpr,
    FINE: tl.constexpr,
    DT: tl.constexpr,
    STAGES: tl.constexpr,
):
    """The outputs of one segment and head, BV of their values."""
    pid = tl.program_id(0)
    i_v = pid % (S // BV)
    slot = (pid // (S // BV)).to(tl.int64)
    i_s = (slot % G).to(tl.int32)
    i_bh = slot // G
    i_h = i_bh % H
    i_b = i_bh // H
    start, stop, chunk, chunks, is_last, _ = segment_of(
        table, i_s, i_h, T, LAST, PITCH, NC, CPS, G, C, IS_VARLEN
    )
    o_s = tl.arange(0, S)
    o_v = i_v * BV + tl.arange(0, BV)
    o_c = tl.arange(0, C)
    o_square = o_v[:, None] * S + o_s[None, :]
    b_s = tl.load(states + slot * (S * S) + o_square)  # S^T [BV, S]
    base = i_b * stride_b + i_h * stride_h
    p_q = q + base + o_s[None, :]
    p_k = k + base + o_s[None, :]
    p_v = v + base + o_v[None, :]
    p_o = o + (i_b * T_OUT * H + i_h) * S + o_v[None, :]
    p_g = solved + (i_bh * NC + chunk) * (C * C * (1 + FINE))
    p_g = p_g + o_c[:, None] * C + o_c[None, :]
    end = tl.minimum(stop, T_OUT) if IS_VARLEN else T_OUT
    for c in tl.range(0, chunks, num_stages=STAGES):
        o_t = start + c * C + o_c
        inside = (o_t < stop)[:, None]
        p_row = o_t.to(tl.int64)[:, None] * stride_t
        b_k = tl.load(p_k + p_row, mask=inside, other=0.0).to(DT)
        b_q = tl.load(p_q + p_row, mask=inside, other=0.0).to(DT)
        b_v = tl.load(p_v + p_row, mask=inside, other=0.0).to(DT)
        p_here = p_g + tl.cast(c, tl.int64) * (C * C * (1 + FINE))
        b_g = tl.load(p_here).to(DT)
        b_g = tl.trans(b_g)
        b_qk = tl.dot(b_k, tl.trans(b_q), input_precision="tf32x3")
        b_qk = tl.where(o_c[:, None] <= o_c[None, :], b_qk, 0.0).to(DT)
        b_s0 = b_s.to(DT)
        b_e = tl.dot(b_s0, tl.trans(b_k), input_precision="tf32x3")
        b_d = tl.dot(tl.trans(b_v), b_g, input_precision="tf32x3")
        b_d = tl.dot((-b_e).to(DT), b_g, b_d, input_precision="tf32x3")
        if FINE:
            b_g = tl.trans(tl.load(p_here + C * C).to(DT))
            b_d = tl.dot(tl.trans(b_v), b_g, b_d, input_precision="tf32x3")
            b_d = tl.dot((-b_e).to(DT), b_g, b_d, input_precision="tf32x3")
        b_d = b_d.to(DT)
        b_o = tl.dot(b_s0, tl.trans(b_q), input_precision="tf32x3")
        b_o = tl.dot(b_d, b_qk, b_o, input_precision="tf32x3")
        b_s = tl.dot(b_d, b_k, b_s, input_precision="tf32x3")
        tl.store(
            p_o + o_t.to(tl.int64)[:, None] * (H * S),
            tl.trans(b_o).to(o.dtype.element_ty),
            mask=(o_t < end)[:, None],
        )
    if is_last:
        i_n = tl.load(table + i_s * 6) if IS_VARLEN else i_b
        o_across = o_s[None, :] * S + o_v[:, None]
        tl.store(final + (i_n * H + i_h) * (S * S) + o_across, b_s)


@dataclass(frozen=True)
class Tile:
    """How a kernel is launched: rows of a program, its warps, its stages."""

    rows: int
    warps: int
    stages: int


def chunk_size(head_dim: int, dtype: torch.dtype) -> int:
    """Tokens of a chunk: 32 if it pays, and 16 where tf32 is not enough."""
    return 32 if head_dim > 16 and dtype == torch.bfloat16 else 16


def solved_together(head_dim: int) -> int:
    """Chunks that a program of `solve_kernel` has room for at a time."""
    return 2 if head_dim < 128 else 1


def maps_tile(head_dim: int, dtype: torch.dtype) -> Tile:
    """Of `segment_maps_kernel`."""
    rows = min(2 * head_dim, 64)
    if dtype == torch.bfloat16:
        return Tile(rows, 2 if rows < 64 else 4, 3)
    return Tile(min(rows, 32) if head_dim < 128 else 16, 4, 2)


def replay_tile(head_dim: int, dtype: torch.dtype) -> Tile:
    """Of `replay_kernel`."""
    rows = min(head_dim, 64)
    if dtype == torch.bfloat16:
        return Tile(rows, 4 if rows == 64 else 2, 3)
    return Tile(min(rows, _room(head_dim, dtype)), 4, 2)


def _room(head_dim: int, dtype: torch.dtype) -> int:
    """Rows of a state whose tf32 products fit a program's registers."""
    return 32 if head_dim < 128 and dtype == torch.float32 else 16


def scan_tile(head_dim: int) -> Tile:
    """Of `scan_kernel`, whose programs hold a whole P."""
    return Tile(16, 8, 2) if head_dim == 128 else Tile(16, 4, 3)


def operand_type(dtype: torch.dtype) -> tl.dtype:
    """What the kernels multiply.

    Bfloat16 has float32's range, so that sums may be rounded to it. Float16
    has not, and is multiplied as float32 is, in three tf32 products; so is
    bfloat16 in the interpreter, which cannot multiply it.
    """
    native = dtype == torch.bfloat16 and not is_interpreted()
    return tl.bfloat16 if native else tl.float32


@dataclass(frozen=True)
class Run:
    """One call: its tensors, its memory, its cut, and what it worked out.

    `solved` is G of every chunk, `[B * H, chunks, 1, C, C]`, or 2 and not 1
    where what rounding took off it is kept; `maps`
    `[slots, 2 S, S]` and `states` `[slots, S, S]` are P^T and R^T of each
    segment and S^T before it, in float32; a slot is a segment of a head.
    """

    q: torch.Tensor
    k: torch.Tensor
    v: torch.Tensor
    beta: torch.Tensor
    initial: torch.Tensor
    memory: Memory
    segments: Segments
    solved: torch.Tensor
    maps: torch.Tensor
    states: torch.Tensor

    @property
    def shape(self) -> dict[str, Any]:
        """The arguments that most kernels share."""
        x, cuts = self.memory, self.segments
        return {
            "T": x.tokens,
            "LAST": x.last,
            "PITCH": x.pitch,
            "H": x.heads,
            "G": cuts.each,
            "NC": cuts.chunks,
            "CPS": cuts.length,
            "S": x.head_dim,
            "C": cuts.size,
            "IS_VARLEN": cuts.is_varlen,
            "FINE": self.is_fine,
            "DT": operand_type(self.q.dtype),
        }

    @property
    def is_fine(self) -> bool:
        """Whether G is kept to twice the digits of bfloat16."""
        return self.solved.shape[2] == 2

    def new_operand(self, shape: tuple[int, ...]) -> torch.Tensor:
        """Memory for what kernels hand on to be multiplied."""
        native = operand_type(self.q.dtype) == tl.bfloat16
        dtype = torch.bfloat16 if native else torch.float32
        return self.q.new_empty(shape, dtype=dtype)

    @property
    def slots(self) -> int:
        """Segments of all heads and rows together."""
        return self.memory.batch * self.memory.heads * self.segments.each


def launch_chunk(
    inputs: Inputs,
    segment_length: int | None = None,
    *,
    out: torch.Tensor | None = None,
    fine: bool = False,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Outputs `[B, T, H, S]` and the final states `[N, H, S, S]`.

    `inputs` as `check_inputs` reads them, `out` as `check_output` checks
    it; `segment_length` is in chunks; `fine` as in `prepare`.
    """
    run = work_out(inputs, segment_length, fine=fine)
    with torch.cuda.device_of(run.q):
        return launch_replay(run, out)


def run_for_gradients(
    inputs: Inputs, segment_length: int | None = None
) -> tuple[torch.Tensor, torch.Tensor, Run]:
    """As `launch_chunk`, fine, and what a gradient needs of the way there."""
    run = work_out(inputs, segment_length, fine=True, maps_of_all=True)
    with torch.cuda.device_of(run.q):
        return *launch_replay(run), run


def work_out(
    inputs: Inputs,
    segment_length: int | None = None,
    *,
    fine: bool,
    maps_of_all: bool = False,
) -> Run:
    """All but the outputs: G of every chunk, maps and states of segments.

    `maps_of_all` asks for the maps of last segments, which a gradient needs.
    """
    run = prepare(inputs, segment_length, fine=fine)
    with torch.cuda.device_of(run.q):
        launch_solve(run)
        if run.segments.is_cut:
            launch_maps(run, of_all=maps_of_all)
        launch_scan(run)
    return run


def prepare(inputs: Inputs, segment_length: int | None, *, fine: bool) -> Run:
    """Cut the sequences and make room for what will be worked out.

    For bfloat16, `fine` keeps what rounding takes off G: of the error on
    nearly parallel keys, half; of that of beta's gradient, most. It costs
    two small products a chunk, and G's memory again.
    """
    memory, (q, k, v) = read_memory(inputs, inputs.q, inputs.k, inputs.v)
    B, H, S = memory.batch, memory.heads, memory.head_dim
    C = chunk_size(S, q.dtype)
    segments = cut(inputs, memory, C, segment_length)
    slots = B * H * segments.each
    narrow = q.dtype == torch.bfloat16
    wide = inputs.state.new_empty
    return Run(
        q,
        k,
        v,
        inputs.beta.contiguous(),
        inputs.state.contiguous(),
        memory,
        segments,
        wide(
            (B * H, segments.chunks, 1 + (fine and narrow), C, C),
            dtype=torch.bfloat16 if narrow else torch.float32,
        ),
        wide((slots, 2 * S, S)),
        wide((slots, S, S)),
    )


def launch_solve(run: Run) -> None:
    """Fill `run.solved`."""
    memory, segments = run.memory, run.segments
    rows = memory.batch * memory.heads
    together = solved_together(memory.head_dim)
    total = -(-rows * segments.chunks // together)
    programs = min(total, SOLVERS * processors(run.k.device))
    wanted = programs * together * segments.size**2
    # the maps are written after this, and are room enough for most lengths
    scratch = run.maps
    if scratch.numel() < wanted:
        scratch = scratch.new_empty(wanted)
    solve_kernel[(programs,)](
        run.k,
        run.beta,
        run.solved,
        scratch,
        segments.spans,
        *memory.strides,
        memory.tokens,
        memory.last,
        memory.pitch,
        memory.batch,
        memory.heads,
        segments.chunks,
        total,
        S=memory.head_dim,
        C=segments.size,
        NCP=together,
        IS_VARLEN=segments.is_varlen,
        FINE=run.is_fine,
        DT=operand_type(run.k.dtype),
        num_warps=1,
    )


def launch_maps(run: Run, *, of_all: bool) -> None:
    """Fill `run.maps`."""
    tile = maps_tile(run.memory.head_dim, run.k.dtype)
    rows = 2 * run.memory.head_dim // tile.rows
    segment_maps_kernel[(run.slots * rows,)](
        run.k,
        run.v,
        run.solved,
        run.maps,
        run.segments.table,
        *run.memory.strides,
        **run.shape,
        BM=tile.rows,
        OF_ALL=of_all,
        STAGES=tile.stages,
        num_warps=tile.warps,
    )


def launch_scan(run: Run) -> None:
    """Fill `run.states`."""
    S = run.memory.head_dim
    tile = scan_tile(S)
    N, H = run.initial.shape[:2]
    scan_kernel[(N * H * (S // tile.rows),)](
        run.maps,
        run.initial,
        run.states,
        run.segments.firsts,
        H,
        run.segments.each,
        S=S,
        BV=tile.rows,
        IS_VARLEN=run.segments.is_varlen,
        STAGES=tile.stages,
        num_warps=tile.warps,
    )


def launch_replay(
    run: Run, out: torch.Tensor | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Outputs (in `out`, if there is one) and final states of `run`."""
    memory = run.memory
    tile = replay_tile(memory.head_dim, run.q.dtype)
    size = (memory.batch, memory.length, memory.heads, memory.head_dim)
    o = run.q.new_empty(size) if out is None else out
    final = torch.empty_like(run.initial)
    replay_kernel[(run.slots * (memory.head_dim // tile.rows),)](
        run.q,
        run.k,
        run.v,
        run.solved,
        run.states,
        o,
        final,
        run.segments.table,
        *memory.strides,
        T_OUT=memory.length,
        **run.shape,
        BV=tile.rows,
        STAGES=tile.stages,
        num_warps=tile.warps,
    )
    return o, final
