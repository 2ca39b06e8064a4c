"""Triton kernels on a CPU: run me with TRITON_INTERPRET=1.

`python -m tests.support.interpreted_kernels GROUP` prints one JSON object,
{name of a check: worst error}. The variable must be set before a kernel is
decorated, hence a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from functools import partial

import torch
from fla_quasar.ops import quasar
from fla_quasar.ops.quasar.dispatch import triton_state

from tests.support.attention_inputs import (
    FAMILIES,
    make_case,
    worst_row_error,
)

Errors = Iterator[tuple[str, float]]


def errors_of(group: str) -> dict[str, float]:
    """What the checks of `group` measure, in a fresh interpreting process."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.interpreted_kernels", group],
        env=os.environ | {"TRITON_INTERPRET": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    if done.returncode:
        raise AssertionError(done.stderr[-4000:])
    return json.loads(done.stdout.splitlines()[-1])


def _both(got, want) -> float:
    return max(
        worst_row_error(got[0], want[0]),
        worst_row_error(got[1].flatten(0, 1), want[1].flatten(0, 1)),
    )


def _compare(form: Callable, x, layout: str, marks=None) -> float:
    got = form(*x.tensors, True, marks, layout=layout)
    return _both(
        got,
        quasar.naive_quasar(*x.doubled().tensors, True, marks, layout=layout),
    )


def chunk() -> Errors:
    """`chunk_quasar` and its segments."""
    from fla_quasar.ops.quasar.chunk_kernels import launch_chunk
    from fla_quasar.ops.quasar.inputs import check_inputs

    def in_segments(*arguments, layout, chunks=1):
        *tensors, _, marks = arguments
        inputs = check_inputs(*tensors, marks, layout)
        return launch_chunk(inputs, chunks)

    in_longer_segments = partial(in_segments, chunks=4)

    for family in FAMILIES:
        x = make_case(family, 70, heads=1)
        yield family, _compare(in_segments, x, "causal")
    x = make_case("stiff", 300, heads=1)
    yield "longer segments", _compare(in_longer_segments, x, "causal")
    for tokens in (1, 64, 65):
        x = make_case("subspace", tokens)
        yield f"{tokens} tokens", _compare(quasar.chunk_quasar, x, "causal")
    x = make_case("long_memory", 3, batch=2, layout="interleaved")
    yield "interleaved", _compare(quasar.chunk_quasar, x, "interleaved")
    yield "segments interleaved", _compare(in_segments, x, "interleaved")
    for head_dim in (32, 64, 128):
        x = make_case("long_memory", 40, head_dim=head_dim, heads=1)
        yield f"segments of {head_dim}", _compare(in_segments, x, "causal")
    x = make_case("long_memory", 60)
    marks = torch.tensor([0, 0, 17, 18, 60])
    x = type(x)(*x.tensors[:4], torch.randn(4, 2, 16, 16))
    yield "packed", _compare(quasar.chunk_quasar, x, "causal", marks)
    yield "segments packed", _compare(in_segments, x, "causal", marks)
    x = make_case("long_memory", 50).to(torch.bfloat16)
    yield "bfloat16", _compare(in_segments, x, "causal")
    x = make_case("stiff", 70, heads=1, head_dim=32).to(torch.bfloat16)
    _, want = quasar.naive_quasar(*x.doubled().tensors, True, layout="causal")
    for name, fine in (("coarse", False), ("fine", True)):
        inputs = check_inputs(*x.tensors, None, "causal")
        _, state = launch_chunk(inputs, 1, fine=fine)
        yield name, float((state - want).norm() / want.norm())
    yield "gradients", _gradients(quasar.chunk_quasar)


def backward() -> Errors:
    """The gradients of `chunk_quasar`, by segments of one chunk or more."""
    from fla_quasar.ops.quasar.chunk_backward import chunk_with_gradients
    from fla_quasar.ops.quasar.inputs import check_inputs

    def ours(chunks: int | None, layout: str = "causal") -> Callable:
        def form(*arguments):
            *tensors, _, marks = arguments
            inputs = check_inputs(*tensors, marks, layout)
            return chunk_with_gradients(inputs, chunks)

        return form

    for family in FAMILIES:
        x = make_case(family, 70, heads=1)
        yield family, _gradients_of(x, ours(1))
    x = make_case("stiff", 100, heads=1, head_dim=32)
    yield "longer segments", _gradients_of(x, ours(3))
    yield "one segment", _gradients_of(make_case("plain", 40), ours(None))
    x = make_case("plain", 5, batch=2, layout="interleaved")
    yield (
        "interleaved",
        _gradients_of(x, ours(2, "interleaved"), layout="interleaved"),
    )
    x = make_case("long_memory", 60)
    x = type(x)(*x.tensors[:4], torch.randn(4, 2, 16, 16))
    marks = torch.tensor([0, 0, 17, 18, 60])
    yield "packed", _gradients_of(x, ours(1), marks)
    x = make_case("plain", 40).to(torch.float16)
    yield "float16", _gradients_of(x, ours(1))
    x = make_case("plain", 40).to(torch.bfloat16)
    yield "bfloat16", _gradients_of(x, ours(1))


def _gradients_of(
    x, form: Callable, marks=None, *, layout: str = "causal"
) -> float:
    """The worst of five gradients, by norm, against the truth's."""
    weights = torch.randn(x.q.shape), torch.randn(x.initial_state.shape)

    def truth(*arguments):
        return quasar.naive_quasar(*arguments, layout=layout)

    def gradients(form: Callable, case) -> list[torch.Tensor]:
        case = case.wanting_gradients()
        o, state = form(*case.tensors, True, marks)
        loss = (o * weights[0]).sum() + (state * weights[1]).sum()
        loss.backward()
        return [t.grad.double() for t in case.tensors]

    # where the gate is shut beta's gradient is below any float32
    return max(
        float((mine - true).norm() / true.norm().clamp(min=1e-6))
        for mine, true in zip(
            gradients(form, x), gradients(truth, x.doubled()), strict=True
        )
    )


def edges() -> Errors:
    """Strange memory: strides, offsets, NaN beside it and where it is new."""
    from fla_quasar.ops.quasar.chunk_backward import chunk_with_gradients
    from fla_quasar.ops.quasar.inputs import check_inputs

    def in_segments(*arguments, layout):
        *tensors, _, marks = arguments
        return chunk_with_gradients(check_inputs(*tensors, marks, layout), 1)

    forms = {"chunk": in_segments, "recurrent": quasar.fused_recurrent_quasar}
    plain = make_case("plain", 40, heads=2)
    with _poisoned():
        for name, form in forms.items():
            for layout in ("causal", "interleaved"):
                x = type(plain)(*map(_among_nan, plain.tensors))
                error = _compare(form, x, layout)
                yield f"{name} {layout} among NaN", error
        error = _gradients_of(
            plain, lambda *x: in_segments(*x, layout="causal")
        )
        yield "gradients among NaN", error
        attention = _layer(conv_bias=True)
        x = torch.randn(1, 19, 24)
        got = _layer_gradients(attention, _among_nan(x))
        want = _layer_gradients(deepcopy(attention).double(), x.double())
        yield "layer among NaN", _furthest(got, want)
    for name, form in forms.items():
        for how, x in _strange(plain).items():
            yield f"{name} {how}", _compare(form, x, "causal")
        before, _ = form(*plain.tensors, True, None, layout="causal")
        x = type(plain)(*(t.clone() for t in plain.tensors))
        for t in (x.q, x.k, x.v):
            t[:, 17:] = 3
        after, _ = form(*x.tensors, True, None, layout="causal")
        moved = (after - before)[:, :17].abs().max()
        yield f"{name} moves what was before", float(moved)


def _among_nan(x: torch.Tensor) -> torch.Tensor:
    """The same numbers, contiguous, with NaN on both sides."""
    memory = torch.full((x.numel() + 2048,), torch.nan, dtype=x.dtype)
    middle = memory[1024:-1024]
    middle.copy_(x.flatten())
    return middle.view(x.shape)


def _strange(x) -> dict:
    """The same numbers elsewhere: strided, unaligned, each in its own way."""
    shifted = [_among_nan(t)[...] for t in x.tensors]
    odd = []
    for t in x.tensors:
        memory = torch.empty(t.numel() + 3)
        odd.append(memory[3:].view(t.shape).copy_(t))
    across = [t.mT.contiguous().mT for t in (x.q, x.k, x.v)]
    mixed = [x.q, shifted[1], x.v.transpose(1, 2).contiguous().transpose(1, 2)]
    kind = type(x)
    return {
        "unaligned": kind(*odd),
        "with channels apart": kind(*across, x.beta, x.initial_state.mT.mT),
        "each with its own strides": kind(*mixed, x.beta, x.initial_state),
    }


@contextmanager
def _poisoned() -> Iterator[None]:
    """Within it, memory that is asked for comes full of NaN."""
    makers = (
        (torch, "empty"),
        (torch, "empty_like"),
        (torch.Tensor, "new_empty"),
    )
    before = [getattr(place, name) for place, name in makers]

    def full_of_nan(maker: Callable) -> Callable:
        def make(*arguments, **options):
            made = maker(*arguments, **options)
            return made.fill_(torch.nan) if made.is_floating_point() else made

        return make

    for (place, name), maker in zip(makers, before, strict=True):
        setattr(place, name, full_of_nan(maker))
    try:
        yield
    finally:
        for (place, name), maker in zip(makers, before, strict=True):
            setattr(place, name, maker)


def layer() -> Errors:
    """`QuasarAttention`, whose parts are kernels, against float64's."""
    packed = torch.tensor([0, 0, 3, 19])
    for options, marks in (
        ({}, None),
        ({"conv_bias": True, "conv_size": 3}, packed),
        ({"use_short_conv": False}, None),
        ({"layout": "interleaved"}, None),
    ):
        attention = _layer(**options)
        x = torch.randn(1, 19, 24)
        got = _layer_gradients(attention, x, marks)
        want = _layer_gradients(
            deepcopy(attention).double(), x.double(), marks
        )
        yield f"{options} gradients", _furthest(got, want)
        with torch.inference_mode():
            y, _ = attention(x, cu_seqlens=marks)
            yield f"{options} inference", _furthest([y], want)
            if marks is None and attention.layout == "causal":
                _, cache = attention(x[:, :17], use_cache=True)
                rest, _ = attention(x[:, 17:], cache=cache)
                off = _furthest([rest], [want[0][:, 17:]])
                yield f"{options} with a cache", off
    compiled = torch.compile(attention, fullgraph=True, backend="aot_eager")
    yield "compiled", _furthest(_layer_gradients(compiled, x), got)


def _layer(**options):
    from fla_quasar.layers import QuasarAttention

    attention = QuasarAttention(24, 16, 2, **({"layout": "causal"} | options))
    for name, parameter in attention.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.normal_(parameter)
    return attention


def _layer_gradients(attention, x, marks=None) -> list[torch.Tensor]:
    """The output, and the gradients of x and of every parameter."""
    attention.zero_grad()
    x = x.detach().requires_grad_()
    y, _ = attention(x, cu_seqlens=marks)
    (y * torch.linspace(-1, 1, y.numel()).view(y.shape)).sum().backward()
    return [y.detach(), x.grad, *(p.grad for p in attention.parameters())]


def _furthest(got, want) -> float:
    return max(
        float((mine - true).norm() / true.norm())
        for mine, true in zip(got, want, strict=False)
    )


def small() -> Errors:
    """Gate, substitution, token tiles, recurrence."""
    for tokens, layout in ((1, "causal"), (33, "causal"), (5, "interleaved")):
        x = make_case("long_memory", tokens, layout=layout)
        yield (
            f"recurrent {tokens} {layout}",
            _compare(quasar.fused_recurrent_quasar, x, layout),
        )
    x = make_case("plain", 20)
    x = type(x)(*x.tensors[:4], torch.randn(3, 2, 16, 16))
    marks = torch.tensor([0, 0, 7, 20])
    yield (
        "recurrent packed",
        _compare(quasar.fused_recurrent_quasar, x, "causal", marks),
    )
    yield "recurrent gradients", _gradients(quasar.fused_recurrent_quasar)
    norms = torch.logspace(-12, 4, 3000).view(-1, 2)
    beta = torch.tensor([0.7, 16.0])
    alpha = quasar.fused_quasar_gate(norms, beta)
    want = quasar.fused_quasar_gate(norms.double(), beta.double())
    yield "gate", float((alpha / want - 1).abs().max())
    for size in (16, 32, 64):
        m = torch.full((2, size, size), 0.97)
        system = m.tril(-1) + torch.eye(size)
        off = quasar.forward_substitution(m) @ system - torch.eye(size)
        yield f"substitution {size}", float(off.abs().max())
    x = make_case("stiff", 100, batch=2)
    head_first = [t.transpose(1, 2) for t in (x.q, x.k, x.v)]
    got = quasar.chunk_intra_token_parallel(*head_first, x.beta)
    want = quasar.chunk_intra_token_parallel(
        *(t.double() for t in head_first), x.beta.double()
    )
    for name, mine, true in zip(("w", "u", "scores"), got, want, strict=True):
        off = (mine - true).norm() / true.norm()
        yield f"token tiles {name}", float(off)


def _gradients(form: Callable) -> float:
    x = make_case("long_memory", 20)
    weights = torch.randn(1, 20, 2, 16)

    def gradients(form, case):
        case = case.wanting_gradients()
        o, state = form(*case.tensors, True, layout="causal")
        ((o * weights).sum() + state.square().sum()).backward()
        return [t.grad.double() for t in case.tensors]

    want = gradients(quasar.naive_quasar, x.doubled())
    return max(
        float((mine - true).norm() / true.norm())
        for mine, true in zip(gradients(form, x), want, strict=True)
    )


if __name__ == "__main__":
    torch.manual_seed(0)
    torch.set_num_threads(1)
    if triton_state() != "interpreted":
        sys.exit("TRITON_INTERPRET=1 must be set")
    checks = {
        "backward": backward,
        "chunk": chunk,
        "edges": edges,
        "layer": layer,
        "small": small,
    }[sys.argv[1]]
    sys.stdout.write(json.dumps(dict(checks())) + "\n")
