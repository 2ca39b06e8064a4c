"""The layer's parts as kernels that autograd and torch.compile know.

Each is an operator of `torch.library`: opaque to a compiler, with shapes
that it can tell without running it and a gradient of its own. Where no
gradient may be asked for and nothing compiles, the kernels are launched
without that wrapping. Needs Triton.
"""

from __future__ import annotations

from typing import Any

import torch

from .conv_kernels import launch_conv, launch_conv_backward, places
from .norm_kernels import launch_norm, launch_norm_backward

Tensor = torch.Tensor
Parts = tuple[Tensor, Tensor, Tensor]


def conv_silu(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    cu_seqlens: Tensor | None = None,
) -> Tensor:
    """A short causal convolution of each channel over tokens, then SiLU.

    `x` is `[B, T, C]`, `weight` `[C, size]`, `bias` `[C]`; `cu_seqlens`
    `[N + 1]` are boundaries of sequences packed into one row.
    """
    place = None if cu_seqlens is None else places(cu_seqlens, x.shape[1])
    y: Tensor = torch.ops.fla_quasar.conv_silu(x, weight, bias, place)
    return y


def conv_silu_of_three(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    cu_seqlens: Tensor | None = None,
) -> tuple[Parts, Tensor]:
    """`conv_silu` of three tensors side by side, and what is beside them.

    `x` is `[B, T, 3 * C + R]`, `weight` `[3 * C, size]`, `bias` `[3 * C]`.
    The parts are contiguous, `[B, T, C]`; the rest is `[B, T, R]`.
    """
    place = None if cu_seqlens is None else places(cu_seqlens, x.shape[1])
    if not _is_wrapped():
        B, T, _ = x.shape
        y = x.new_empty((3, B, T, len(weight) // 3))
        launch_conv(x, weight, bias, y, place)
        q, k, v = y.unbind()
        # a copy, so that x need not be kept for its last columns
        return (q, k, v), x[..., len(weight) :].contiguous()
    q, k, v, rest = torch.ops.fla_quasar.conv_silu_of_three(
        x, weight, bias, place
    )
    return (q, k, v), rest


def gated_norm(
    o: Tensor,
    low: Tensor,
    up: Tensor,
    bias: Tensor,
    weight: Tensor,
    eps: float,
) -> Tensor:
    """Per head, o / rms(o) * weight * sigmoid(low up^T + bias).

    `o` is `[B, T, H, S]`, `low` `[B, T, R]` with R a power of two from 16
    on, `up` `[H * S, R]`, `bias` `[H * S]`, `weight` `[S]`.
    """
    if not _is_wrapped():
        return launch_norm(o.contiguous(), _rows(low), up, bias, weight, eps)
    y: Tensor = torch.ops.fla_quasar.gated_norm(o, low, up, bias, weight, eps)
    return y


def _is_wrapped() -> bool:
    return torch.is_grad_enabled() or torch.compiler.is_compiling()


def _rows(x: Tensor) -> Tensor:
    """`[B, T, C]` whose rows are equally far apart, copied if need be."""
    is_even = x.stride(2) == 1 and x.stride(0) == x.shape[1] * x.stride(1)
    return x if is_even else x.contiguous()


# --- one convolution ---------------------------------------------------------

_PLACED = "Tensor x, Tensor weight, Tensor? bias, Tensor? place"


@torch.library.custom_op(
    "fla_quasar::conv_silu",
    mutates_args=(),
    schema=f"({_PLACED}) -> Tensor",
)
def _conv_silu(
    x: Tensor, weight: Tensor, bias: Tensor | None, place: Tensor | None
) -> Tensor:
    y = x.new_empty((1, *x.shape))
    launch_conv(_rows(x), weight.contiguous(), bias, y, place)
    return y[0]


@_conv_silu.register_fake
def _(x: Tensor, *_: Any) -> Tensor:
    return x.new_empty(x.shape)


@torch.library.custom_op(
    "fla_quasar::conv_silu_backward",
    mutates_args=(),
    schema=f"({_PLACED}, Tensor dy) -> (Tensor, Tensor, Tensor)",
)
def _conv_silu_backward(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    place: Tensor | None,
    dy: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    dx = x.new_empty(x.shape)
    d_weight, d_bias = launch_conv_backward(
        _rows(x), weight.contiguous(), bias, dy.contiguous(), dx, place
    )
    return dx, d_weight.to(weight.dtype), d_bias.to(weight.dtype)


@_conv_silu_backward.register_fake
def _(x: Tensor, weight: Tensor, *_: Any) -> tuple[Tensor, Tensor, Tensor]:
    return (
        x.new_empty(x.shape),
        weight.new_empty(weight.shape),
        weight.new_empty(weight.shape[:1]),
    )


def _keep(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    del output
    ctx.save_for_backward(*inputs)


def _conv_silu_gradient(ctx: Any, dy: Tensor) -> tuple[Any, ...]:
    x, weight, bias, place = ctx.saved_tensors
    dx, d_weight, d_bias = torch.ops.fla_quasar.conv_silu_backward(
        x, weight, bias, place, dy
    )
    return dx, d_weight, None if bias is None else d_bias, None


_conv_silu.register_autograd(_conv_silu_gradient, setup_context=_keep)


# --- three convolutions side by side -----------------------------------------


@torch.library.custom_op(
    "fla_quasar::conv_silu_of_three",
    mutates_args=(),
    schema=f"({_PLACED}) -> (Tensor, Tensor, Tensor, Tensor)",
)
def _three(
    x: Tensor, weight: Tensor, bias: Tensor | None, place: Tensor | None
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    x, weight = _rows(x), weight.contiguous()
    B, T, _ = x.shape
    width = len(weight) // 3
    outputs: list[Tensor] = []
    for part in range(3):
        at = slice(part * width, (part + 1) * width)
        y = x.new_empty((1, B, T, width))
        own = None if bias is None else bias[at]
        launch_conv(x[..., at], weight[at], own, y, place)
        outputs.append(y[0])
    rest = x[..., len(weight) :].clone()
    return outputs[0], outputs[1], outputs[2], rest


@_three.register_fake
def _(
    x: Tensor, weight: Tensor, *_: Any
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    B, T, columns = x.shape
    width = weight.shape[0] // 3
    rest = columns - 3 * width
    q, k, v = (x.new_empty((B, T, width)) for _ in range(3))
    return q, k, v, x.new_empty((B, T, rest))


@torch.library.custom_op(
    "fla_quasar::conv_silu_of_three_backward",
    mutates_args=(),
    schema=(
        f"({_PLACED}, Tensor dq, Tensor dk, Tensor dv, Tensor d_rest)"
        " -> (Tensor, Tensor, Tensor)"
    ),
)
def _three_backward(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    place: Tensor | None,
    dq: Tensor,
    dk: Tensor,
    dv: Tensor,
    d_rest: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    x, weight = _rows(x), weight.contiguous()
    width = len(weight) // 3
    dx = x.new_empty(x.shape)
    dx[..., len(weight) :] = d_rest
    found: list[tuple[Tensor, Tensor]] = []
    for part, dy in enumerate((dq, dk, dv)):
        at = slice(part * width, (part + 1) * width)
        found.append(
            launch_conv_backward(
                x[..., at],
                weight[at],
                None if bias is None else bias[at],
                dy.contiguous(),
                dx[..., at],
                place,
            )
        )
    d_weight = torch.cat([each[0] for each in found]).to(weight.dtype)
    return (
        dx,
        d_weight,
        torch.cat([each[1] for each in found]).to(weight.dtype),
    )


@_three_backward.register_fake
def _(x: Tensor, weight: Tensor, *_: Any) -> tuple[Tensor, Tensor, Tensor]:
    return (
        x.new_empty(x.shape),
        weight.new_empty(weight.shape),
        weight.new_empty(weight.shape[:1]),
    )


def _three_gradient(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:
    x, weight, bias, place = ctx.saved_tensors
    dx, d_weight, d_bias = torch.ops.fla_quasar.conv_silu_of_three_backward(
        x, weight, bias, place, *grads
    )
    return dx, d_weight, None if bias is None else d_bias, None


_three.register_autograd(_three_gradient, setup_context=_keep)


# --- the gated norm ----------------------------------------------------------

_GATED = (
    "Tensor o, Tensor low, Tensor up, Tensor bias, Tensor weight, float eps"
)


@torch.library.custom_op(
    "fla_quasar::gated_norm",
    mutates_args=(),
    schema=f"({_GATED}) -> Tensor",
)
def _gated_norm(
    o: Tensor,
    low: Tensor,
    up: Tensor,
    bias: Tensor,
    weight: Tensor,
    eps: float,
) -> Tensor:
    return launch_norm(
        o.contiguous(), _rows(low), up.contiguous(), bias, weight, eps
    )


@_gated_norm.register_fake
def _(o: Tensor, *_: Any) -> Tensor:
    return o.new_empty(o.shape)


@torch.library.custom_op(
    "fla_quasar::gated_norm_backward",
    mutates_args=(),
    schema=f"({_GATED}, Tensor dy) -> (Tensor, Tensor, Tensor, Tensor)",
)
def _gated_norm_backward(
    o: Tensor,
    low: Tensor,
    up: Tensor,
    bias: Tensor,
    weight: Tensor,
    eps: float,
    dy: Tensor,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    return launch_norm_backward(
        o.contiguous(),
        _rows(low),
        up.contiguous(),
        bias,
        weight,
        eps,
        dy.contiguous(),
    )


@_gated_norm_backward.register_fake
def _(
    o: Tensor, low: Tensor, up: Tensor, bias: Tensor, weight: Tensor, *_: Any
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    return (
        o.new_empty(o.shape),
        o.new_empty((*low.shape[:2], up.shape[0])),
        bias.new_empty(bias.shape, dtype=torch.float32),
        weight.new_empty(weight.shape, dtype=torch.float32),
    )


def _keep_all_but_eps(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    del output
    *tensors, ctx.eps = inputs
    ctx.save_for_backward(*tensors)


def _gated_norm_gradient(ctx: Any, dy: Tensor) -> tuple[Any, ...]:
    """The kernel's, and through the low-rank product by two more."""
    o, low, up, bias, weight = ctx.saved_tensors
    do, d_gate, d_bias, d_weight = torch.ops.fla_quasar.gated_norm_backward(
        o, low, up, bias, weight, ctx.eps, dy
    )
    wide = d_gate.to(up.dtype)
    d_low = (wide @ up).to(low.dtype)
    d_up = wide.flatten(0, 1).mT @ low.to(up.dtype).flatten(0, 1)
    return (
        do,
        d_low,
        d_up,
        d_bias.to(bias.dtype),
        d_weight.to(weight.dtype),
        None,
    )


_gated_norm.register_autograd(
    _gated_norm_gradient, setup_context=_keep_all_but_eps
)
