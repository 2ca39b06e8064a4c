"""The gradients of the chunk form as Triton kernels, parallel over segments.

With G and L = lower(Q K^T) of a chunk, D = G (V - K S0), O = Q S0 + L D and
S1 = S0 + K^T D, the gradients of O and S1 give

    dD = L^T dO + K dS1          dE = dV = G^T dD
    dS0 = dS1 + Q^T dO - K^T dE = P^T dS1 + R'
    dQ = dO S0^T + X K           X = lower(dO D^T)
    dK = X^T Q + D dS1^T - dE S0^T - (N + N^T) K + 2 dlambda K
    dalpha_i = (dE_i . D_i) / alpha_i^2,  N = strict_lower(dE D^T)

since dM = -strict_lower(A^T dD D^T), and A^T dD = diag(1 / alpha) dE: neither
A nor M is needed again. So the gradient of the state runs backward by the
transposes of the maps that the forward pass composed:

1. `states_kernel` replays the states, and writes S0 and D of every chunk;
2. `gradient_maps_kernel` finds R' of every segment but the first;
3. `gradient_scan_kernel` walks the segments from the last to the first;
4. `gradient_walk_kernel` writes dS1 and dV of every chunk;
5. `gradients_kernel` does the rest, all chunks at once.

The forward pass keeps G (half of one input for bfloat16 at S = 64) and the
maps and states of segments, which do not grow with T. States and their
gradients are transposed, as in the forward kernels.
"""

# the language inside a kernel is Triton's, which pyright does not know
# pyright: reportArgumentType=false, reportCallIssue=false
# pyright: reportGeneralTypeIssues=false, reportIndexIssue=false
# torch asks a Function for neither vjp nor its own signature
# pylint: disable=abstract-method,arguments-differ
from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
import triton
import triton.language as tl

from .chunk_kernels import (
    SIZES,
    Run,
    Tile,
    replay_tile,
    run_for_gradients,
    scan_tile,
    segment_of,
    work_out,
)
from .inputs import Inputs
from .kernels import gate_of


@triton.jit(do_not_specialize=SIZES)
def states_kernel(
    k,
    v,
    solved,
    states,
    before,
    corrected,
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
    BV: tl.constexpr,
    IS_VARLEN: tl.constexpr,
    FINE: tl.constexpr,
    DT: tl.constexpr,
    STAGES: tl.constexpr,
):
    """S^T before every chunk of a segment and its D^T, BV rows of both."""
    pid = tl.program_id(0)
    i_v = pid % (S // BV)
    slot = (pid // (S // BV)).to(tl.int64)
    i_s = (slot % G).to(tl.int32)
    i_bh = slot // G
    i_h = i_bh % H
    start, stop, chunk, chunks, _, _ = segment_of(
        table, i_s, i_h, T, LAST, PITCH, NC, CPS, G, C, IS_VARLEN
    )
    o_s = tl.arange(0, S)
    o_v = i_v * BV + tl.arange(0, BV)
    o_c = tl.arange(0, C)
    o_square = o_v[:, None] * S + o_s[None, :]
    b_s = tl.load(states + slot * (S * S) + o_square)
    base = i_bh // H * stride_b + i_h * stride_h
    p_k = k + base + o_s[None, :]
    p_v = v + base + o_v[None, :]
    first = i_bh * NC + chunk
    p_g = solved + first * (C * C * (1 + FINE))
    p_g = p_g + o_c[:, None] * C + o_c[None, :]
    p_s = before + first * (S * S) + o_square
    p_d = corrected + first * (S * C) + o_v[:, None] * C + o_c[None, :]
    for c in tl.range(0, chunks, num_stages=STAGES):
        o_t = start + c * C + o_c
        inside = (o_t < stop)[:, None]
        p_row = o_t.to(tl.int64)[:, None] * stride_t
        b_k = tl.load(p_k + p_row, mask=inside, other=0.0).to(DT)
        b_v = tl.load(p_v + p_row, mask=inside, other=0.0).to(DT)
        at = tl.cast(c, tl.int64)
        p_here = p_g + at * (C * C * (1 + FINE))
        b_g = tl.trans(tl.load(p_here).to(DT))
        b_s0 = b_s.to(DT)
        tl.store(p_s + at * (S * S), b_s0)
        b_e = tl.dot(b_s0, tl.trans(b_k), input_precision="tf32x3")
        b_d = tl.dot(tl.trans(b_v), b_g, input_precision="tf32x3")
        b_d = tl.dot((-b_e).to(DT), b_g, b_d, input_precision="tf32x3")
        if FINE:
            b_g = tl.trans(tl.load(p_here + C * C).to(DT))
            b_d = tl.dot(tl.trans(b_v), b_g, b_d, input_precision="tf32x3")
            b_d = tl.dot((-b_e).to(DT), b_g, b_d, input_precision="tf32x3")
        b_d = b_d.to(DT)
        tl.store(p_d + at * (S * C), b_d)
        b_s = tl.dot(b_d, b_k, b_s, input_precision="tf32x3")


@triton.jit
def step_back(
    b_x,
    b_q,
    b_k,
    b_do,
    p_g,
    o_c,
    C: tl.constexpr,
    FINE: tl.constexpr,
    DT: tl.constexpr,
):
    """(dS0^T, dE^T) of a chunk from dS1^T; `p_g` is where its G lies."""
    b_g = tl.load(p_g).to(DT)
    b_qk = tl.dot(b_q, tl.trans(b_k), input_precision="tf32x3")
    b_qk = tl.where(o_c[:, None] >= o_c[None, :], b_qk, 0.0).to(DT)
    b_dot = tl.trans(b_do)
    b_d = tl.dot(b_x.to(DT), tl.trans(b_k), input_precision="tf32x3")
    b_d = tl.dot(b_dot, b_qk, b_d, input_precision="tf32x3")
    b_e = tl.dot(b_d.to(DT), b_g, input_precision="tf32x3")
    if FINE:
        b_g = tl.load(p_g + C * C).to(DT)
        b_e = tl.dot(b_d.to(DT), b_g, b_e, input_precision="tf32x3")
    b_x = tl.dot(b_dot, b_q, b_x, input_precision="tf32x3")
    b_x = tl.dot((-b_e).to(DT), b_k, b_x, input_precision="tf32x3")
    return b_x, b_e


@triton.jit(do_not_specialize=SIZES)
def gradient_maps_kernel(
    q,
    k,
    do,
    solved,
    d_maps,
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
    """R' of a segment: dS^T before it if dS after it is zero."""
    pid = tl.program_id(0)
    i_v = pid % (S // BV)
    slot = (pid // (S // BV)).to(tl.int64)
    i_s = (slot % G).to(tl.int32)
    i_bh = slot // G
    i_h = i_bh % H
    i_b = i_bh // H
    start, stop, chunk, chunks, _, is_first = segment_of(
        table, i_s, i_h, T, LAST, PITCH, NC, CPS, G, C, IS_VARLEN
    )
    if is_first:
        return
    o_s = tl.arange(0, S)
    o_v = i_v * BV + tl.arange(0, BV)
    o_c = tl.arange(0, C)
    base = i_b * stride_b + i_h * stride_h
    p_q = q + base + o_s[None, :]
    p_k = k + base + o_s[None, :]
    p_do = do + (i_b * T_OUT * H + i_h) * S + o_v[None, :]
    p_g = solved + (i_bh * NC + chunk) * (C * C * (1 + FINE))
    p_g = p_g + o_c[:, None] * C + o_c[None, :]
    end = tl.minimum(stop, T_OUT) if IS_VARLEN else T_OUT
    b_x = tl.zeros([BV, S], tl.float32)
    for i in tl.range(0, chunks, num_stages=STAGES):
        c = chunks - 1 - i
        o_t = start + c * C + o_c
        inside = (o_t < stop)[:, None]
        p_row = o_t.to(tl.int64)[:, None]
        b_k = tl.load(p_k + p_row * stride_t, mask=inside, other=0.0).to(DT)
        b_q = tl.load(p_q + p_row * stride_t, mask=inside, other=0.0).to(DT)
        b_do = tl.load(
            p_do + p_row * (H * S), mask=(o_t < end)[:, None], other=0.0
        ).to(DT)
        p_here = p_g + tl.cast(c, tl.int64) * (C * C * (1 + FINE))
        b_x, _b_e = step_back(b_x, b_q, b_k, b_do, p_here, o_c, C, FINE, DT)
    o_square = o_v[:, None] * S + o_s[None, :]
    tl.store(d_maps + slot * (S * S) + o_square, b_x)


@triton.jit(do_not_specialize=SIZES)
def gradient_scan_kernel(
    maps,
    d_maps,
    d_final,
    d_states,
    firsts,
    H,
    G,
    S: tl.constexpr,
    BV: tl.constexpr,
    IS_VARLEN: tl.constexpr,
    STAGES: tl.constexpr,
):
    """dS^T after each segment of a sequence and head, BV rows of it."""
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
    o_p = o_s[None, :] * S + o_s[:, None]  # P, of which maps has P^T
    o_r = o_v[:, None] * S + o_s[None, :]
    b_s = tl.load(d_final + i_nh * (S * S) + o_across)
    steps = (last - first).to(tl.int32)
    for i in tl.range(0, steps, num_stages=STAGES):
        at = (last - i) * (S * S)
        tl.store(d_states + at + o_r, b_s)
        b_p = tl.load(maps + 2 * at + o_p)
        b_r = tl.load(d_maps + at + o_r)
        b_s = tl.dot(b_s, b_p, b_r, input_precision="tf32x3")
    tl.store(d_states + first * (S * S) + o_r, b_s)


@triton.jit(do_not_specialize=SIZES)
def gradient_walk_kernel(
    q,
    k,
    do,
    solved,
    d_states,
    after,
    dv,
    d_initial,
    table,
    stride_b,
    stride_h,
    stride_t,
    stride_db,
    stride_dh,
    stride_dt,
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
    """dS^T after every chunk of a segment and its dV, BV rows of both."""
    pid = tl.program_id(0)
    i_v = pid % (S // BV)
    slot = (pid // (S // BV)).to(tl.int64)
    i_s = (slot % G).to(tl.int32)
    i_bh = slot // G
    i_h = i_bh % H
    i_b = i_bh // H
    start, stop, chunk, chunks, _, is_first = segment_of(
        table, i_s, i_h, T, LAST, PITCH, NC, CPS, G, C, IS_VARLEN
    )
    o_s = tl.arange(0, S)
    o_v = i_v * BV + tl.arange(0, BV)
    o_c = tl.arange(0, C)
    o_square = o_v[:, None] * S + o_s[None, :]
    base = i_b * stride_b + i_h * stride_h
    p_q = q + base + o_s[None, :]
    p_k = k + base + o_s[None, :]
    p_do = do + (i_b * T_OUT * H + i_h) * S + o_v[None, :]
    p_dv = dv + i_b * stride_db + i_h * stride_dh + o_v[None, :]
    first = i_bh * NC + chunk
    p_g = solved + first * (C * C * (1 + FINE))
    p_g = p_g + o_c[:, None] * C + o_c[None, :]
    p_a = after + first * (S * S) + o_square
    end = tl.minimum(stop, T_OUT) if IS_VARLEN else T_OUT
    b_x = tl.load(d_states + slot * (S * S) + o_square)
    for i in tl.range(0, chunks, num_stages=STAGES):
        c = chunks - 1 - i
        o_t = start + c * C + o_c
        inside = (o_t < stop)[:, None]
        p_row = o_t.to(tl.int64)[:, None]
        b_k = tl.load(p_k + p_row * stride_t, mask=inside, other=0.0).to(DT)
        b_q = tl.load(p_q + p_row * stride_t, mask=inside, other=0.0).to(DT)
        b_do = tl.load(
            p_do + p_row * (H * S), mask=(o_t < end)[:, None], other=0.0
        ).to(DT)
        at = tl.cast(c, tl.int64)
        p_here = p_g + at * (C * C * (1 + FINE))
        tl.store(p_a + at * (S * S), b_x.to(DT))
        b_x, b_e = step_back(b_x, b_q, b_k, b_do, p_here, o_c, C, FINE, DT)
        b_e = tl.trans(b_e).to(dv.dtype.element_ty)
        tl.store(p_dv + p_row * stride_dt, b_e, mask=inside)
    if is_first:
        i_n = tl.load(table + i_s * 6) if IS_VARLEN else i_b
        o_across = o_s[None, :] * S + o_v[:, None]
        tl.store(d_initial + (i_n * H + i_h) * (S * S) + o_across, b_x)


@triton.jit
def gate_slopes(b_lambda, b_beta):
    """(d alpha / d lambda, d alpha / d beta), without cancellation."""
    b_x = b_beta * b_lambda
    b_kept = tl.exp(-b_x)
    b_shifted = b_lambda + 1e-8
    # x exp(-x) - (1 - exp(-x)), by its series where its terms agree
    b_small = tl.minimum(b_x, 0.25)
    b_sum = 1 / 144 - b_small * (1 / 840)
    b_sum = 1 / 30 - b_small * b_sum
    b_sum = 1 / 8 - b_small * b_sum
    b_sum = 1 / 3 - b_small * b_sum
    b_sum = b_small * b_sum - 1 / 2
    b_plain = b_x * b_kept - (1 - b_kept)
    b_rise = tl.where(b_x < 0.25, b_small * b_small * b_sum, b_plain)
    b_rise += b_beta * 1e-8 * b_kept
    return b_rise / b_shifted / b_shifted, b_lambda * b_kept / b_shifted


@triton.jit(do_not_specialize=SIZES)
def gradients_kernel(
    q,
    k,
    do,
    dv,
    beta,
    before,
    after,
    corrected,
    dq,
    dk,
    d_beta,
    spans,
    stride_b,
    stride_h,
    stride_t,
    stride_db,
    stride_dh,
    stride_dt,
    T,
    T_OUT,
    LAST,
    PITCH,
    H,
    NC,
    S: tl.constexpr,
    C: tl.constexpr,
    IS_VARLEN: tl.constexpr,
    DT: tl.constexpr,
):
    """Of one chunk: dQ, dK, and its part of dbeta."""
    i_g = tl.program_id(0).to(tl.int64)
    i_c = i_g % NC
    i_bh = i_g // NC
    i_h = i_bh % H
    i_b = i_bh // H
    if IS_VARLEN:
        start = tl.load(spans + i_c * 2)
        stop = tl.load(spans + i_c * 2 + 1)
        end = tl.minimum(stop, T_OUT)
    else:
        start = i_c * C
        stop = tl.minimum(T, LAST - i_h * PITCH)
        end = T_OUT
    o_c = tl.arange(0, C)
    o_s = tl.arange(0, S)
    o_t = start + o_c  # int64
    inside = (o_t < stop)[:, None]
    p_row = i_b * stride_b + i_h * stride_h
    p_row = p_row + o_t[:, None] * stride_t + o_s[None, :]
    p_out = i_b * stride_db + i_h * stride_dh
    p_out = p_out + o_t[:, None] * stride_dt + o_s[None, :]
    p_do = do + ((i_b * T_OUT + o_t[:, None]) * H + i_h) * S + o_s[None, :]
    o_square = o_s[:, None] * S + o_s[None, :]
    b_q = tl.load(q + p_row, mask=inside, other=0.0).to(DT)
    b_k = tl.load(k + p_row, mask=inside, other=0.0).to(DT)
    b_do = tl.load(p_do, mask=(o_t < end)[:, None], other=0.0).to(DT)
    b_e = tl.load(dv + p_out, mask=inside, other=0.0).to(DT)
    o_d = o_s[:, None] * C + o_c[None, :]
    b_d = tl.load(corrected + i_g * (S * C) + o_d)  # D^T [S, C]
    b_s0 = tl.load(before + i_g * (S * S) + o_square)  # [values, keys]
    lower = o_c[:, None] >= o_c[None, :]
    below = o_c[:, None] > o_c[None, :]
    b_x = tl.dot(b_do, b_d, input_precision="tf32x3")
    b_x = tl.where(lower, b_x, 0.0).to(DT)
    b_dq = tl.dot(b_do, b_s0, input_precision="tf32x3")
    b_dq = tl.dot(b_x, b_k, b_dq, input_precision="tf32x3")
    tl.store(dq + p_out, b_dq.to(dq.dtype.element_ty), mask=inside)
    b_n = tl.dot(b_e, b_d, input_precision="tf32x3")
    is_same = o_c[:, None] == o_c[None, :]
    b_both = tl.sum(tl.where(is_same, b_n, 0.0), 1)  # dE_i . D_i
    b_n = tl.where(below, b_n, 0.0)
    b_n = (-(b_n + tl.trans(b_n))).to(DT)
    b_dk = tl.dot(-b_e, b_s0, input_precision="tf32x3")
    b_dk = tl.dot(tl.trans(b_x), b_q, b_dk, input_precision="tf32x3")
    b_dk = tl.dot(b_n, b_k, b_dk, input_precision="tf32x3")
    b_s1 = tl.load(after + i_g * (S * S) + o_square)
    b_dk = tl.dot(tl.trans(b_d), b_s1, b_dk, input_precision="tf32x3")
    b_k32 = b_k.to(tl.float32)
    b_lambda = tl.sum(b_k32 * b_k32, 1)
    b_beta = tl.load(beta + i_h)
    b_alpha = gate_of(b_lambda, b_beta)
    b_slope, b_rise = gate_slopes(b_lambda, b_beta)
    is_open = b_alpha > 0
    b_alpha = tl.where(is_open, b_alpha, 1.0)
    b_da = tl.where(is_open, b_both / b_alpha / b_alpha, 0.0)
    b_dk += (2 * b_da * b_slope)[:, None] * b_k32
    tl.store(dk + p_out, b_dk.to(dk.dtype.element_ty), mask=inside)
    tl.store(d_beta + i_g, tl.sum(b_da * b_rise, 0))


def walk_tile(head_dim: int, dtype: torch.dtype) -> Tile:
    """Of the kernels that walk a segment's chunks."""
    return replay_tile(head_dim, dtype)


def gradients_warps(head_dim: int, dtype: torch.dtype) -> int:
    """Warps of `gradients_kernel`: its tiles are small, so few."""
    warps = 4 if head_dim == 128 else 2
    return warps if dtype == torch.bfloat16 else 2 * warps


@dataclass(frozen=True)
class Grads:
    """The gradients of the five tensors of a call."""

    q: torch.Tensor
    k: torch.Tensor
    v: torch.Tensor
    beta: torch.Tensor
    initial: torch.Tensor

    def as_of(self, q: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """In the dtypes of the inputs, whose q is `q`."""
        narrow = (x.to(q.dtype) for x in (self.q, self.k, self.v))
        return *narrow, self.beta, self.initial


def launch_gradients(
    run: Run, do: torch.Tensor, d_final: torch.Tensor
) -> Grads:
    """From the gradients of o and the final states to those of the inputs.

    `run` must have the maps of its last segments too.
    """
    run, do = _multiplied(run, do)
    with torch.cuda.device_of(run.q):
        before, corrected = launch_states(run)
        d_states = launch_gradient_scan(run, do, d_final)
        after, dv, d_initial = launch_walk(run, do, d_states)
        dq, dk, d_beta = launch_rest(run, do, dv, before, after, corrected)
    return Grads(dq, dk, dv, d_beta, d_initial)


def gradients_of(
    inputs: Inputs, do: torch.Tensor, d_final: torch.Tensor
) -> tuple[torch.Tensor, ...]:
    """The gradients of `inputs.tensors`, from nothing that was kept."""
    run = work_out(inputs, fine=True, maps_of_all=True)
    return launch_gradients(run, do, d_final).as_of(inputs.q)


def _multiplied(run: Run, do: torch.Tensor) -> tuple[Run, torch.Tensor]:
    """The same in dtypes that hold whatever a gradient may be."""
    if run.q.dtype != torch.float16:
        return run, do.to(run.q.dtype).contiguous()
    q, k, v = (x.float().contiguous() for x in (run.q, run.k, run.v))
    memory = run.memory.compact()
    return replace(run, q=q, k=k, v=v, memory=memory), do.float().contiguous()


def launch_states(run: Run) -> tuple[torch.Tensor, torch.Tensor]:
    """S^T before every chunk, and its D^T."""
    S = run.memory.head_dim
    tile = walk_tile(S, run.q.dtype)
    chunks, C = run.solved.shape[:2], run.segments.size
    before = run.new_operand((*chunks, S, S))
    corrected = run.new_operand((*chunks, S, C))
    states_kernel[(run.slots * (S // tile.rows),)](
        run.k,
        run.v,
        run.solved,
        run.states,
        before,
        corrected,
        run.segments.table,
        *run.memory.strides,
        **run.shape,
        BV=tile.rows,
        STAGES=tile.stages,
        num_warps=tile.warps,
    )
    return before, corrected


def launch_gradient_scan(
    run: Run, do: torch.Tensor, d_final: torch.Tensor
) -> torch.Tensor:
    """Find dS^T after each segment."""
    S = run.memory.head_dim
    tile, steps = walk_tile(S, run.q.dtype), scan_tile(S)
    d_maps = torch.empty_like(run.states)
    d_states = torch.empty_like(run.states)
    if run.segments.is_cut:
        gradient_maps_kernel[(run.slots * (S // tile.rows),)](
            run.q,
            run.k,
            do,
            run.solved,
            d_maps,
            run.segments.table,
            *run.memory.strides,
            T_OUT=run.memory.length,
            **run.shape,
            BV=tile.rows,
            STAGES=tile.stages,
            num_warps=tile.warps,
        )
    N, H = run.initial.shape[:2]
    gradient_scan_kernel[(N * H * (S // steps.rows),)](
        run.maps,
        d_maps,
        d_final.to(torch.float32).contiguous(),
        d_states,
        run.segments.firsts,
        H,
        run.segments.each,
        S=S,
        BV=steps.rows,
        IS_VARLEN=run.segments.is_varlen,
        STAGES=steps.stages,
        num_warps=steps.warps,
    )
    return d_states


def launch_walk(
    run: Run, do: torch.Tensor, d_states: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Each dS^T after a chunk, dV, and the gradient of the first states."""
    S = run.memory.head_dim
    tile = walk_tile(S, run.q.dtype)
    after = run.new_operand((*run.solved.shape[:2], S, S))
    dv = torch.empty_like(do)
    d_initial = torch.empty_like(run.initial)
    gradient_walk_kernel[(run.slots * (S // tile.rows),)](
        run.q,
        run.k,
        do,
        run.solved,
        d_states,
        after,
        dv,
        d_initial,
        run.segments.table,
        *run.memory.strides,
        *run.memory.compact().strides,
        T_OUT=run.memory.length,
        **run.shape,
        BV=tile.rows,
        STAGES=tile.stages,
        num_warps=tile.warps,
    )
    return after, dv, d_initial


def launch_rest(
    run: Run,
    do: torch.Tensor,
    dv: torch.Tensor,
    before: torch.Tensor,
    after: torch.Tensor,
    corrected: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The gradients of q, of k and of beta."""
    memory = run.memory
    dq, dk = torch.empty_like(do), torch.empty_like(do)
    rows, chunks = run.solved.shape[:2]
    d_beta = run.maps.new_empty((memory.batch, memory.heads, chunks))
    shape = run.shape
    del shape["G"], shape["CPS"], shape["FINE"]
    gradients_kernel[(rows * chunks,)](
        run.q,
        run.k,
        do,
        dv,
        run.beta,
        before,
        after,
        corrected,
        dq,
        dk,
        d_beta,
        run.segments.spans,
        *memory.strides,
        *memory.compact().strides,
        T_OUT=memory.length,
        **shape,
        num_warps=gradients_warps(memory.head_dim, run.q.dtype),
    )
    return dq, dk, d_beta.sum((0, 2))


def chunk_with_gradients(
    inputs: Inputs, segment_length: int | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """As `launch_chunk`, differentiable once."""
    o, final = _Chunk.apply(inputs, segment_length, *inputs.tensors)
    return o, final


class _Chunk(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        inputs: Inputs,
        segment_length: int | None,
        *tensors: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        o, final, run = run_for_gradients(
            inputs.with_tensors(*tensors), segment_length
        )
        ctx.save_for_backward(
            *(run.q, run.k, run.v, run.beta, run.initial),
            *(run.solved, run.maps, run.states),
        )
        ctx.memory, ctx.segments = run.memory, run.segments
        ctx.set_materialize_grads(False)
        return o, final

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, do: torch.Tensor | None, d_final: torch.Tensor | None
    ) -> Any:
        q, k, v, beta, initial, *worked_out = ctx.saved_tensors
        run = Run(
            q, k, v, beta, initial, ctx.memory, ctx.segments, *worked_out
        )
        if do is None:
            shape = (run.memory.batch, run.memory.length)
            do = q.new_zeros((*shape, run.memory.heads, run.memory.head_dim))
        if d_final is None:
            d_final = torch.zeros_like(initial)
        grads = launch_gradients(run, do, d_final)
        return None, None, *grads.as_of(q)
