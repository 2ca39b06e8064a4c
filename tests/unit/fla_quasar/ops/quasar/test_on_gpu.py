"""The Triton kernels on a CUDA device."""

import pytest
import torch
from fla_quasar.ops.quasar import (
    chunk_quasar,
    fused_recurrent_quasar,
    naive_quasar,
)

from tests.support.attention_inputs import (
    FAMILIES,
    LENGTHS,
    make_case,
    worst_row_error,
)

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(
        not torch.cuda.is_available(), reason="no CUDA device here"
    ),
]
BOUNDS = {torch.bfloat16: 6e-3, torch.float16: 2e-3, torch.float32: 2e-5}
# by chunks, products of bfloat16 inputs round the state to bfloat16
CHUNK_BOUNDS = BOUNDS | {torch.bfloat16: 4e-2}


@pytest.mark.parametrize("dtype", BOUNDS)
@pytest.mark.parametrize("family", FAMILIES)
def test_it_is_the_same_function(family, dtype):
    for tokens in (*LENGTHS, 4097):
        _compare(family, tokens, dtype)


def _compare(family, tokens, dtype):
    x = make_case(
        family,
        tokens,
        heads=8,
        head_dim=64,
        layout="interleaved",
        device="cuda",
    ).to(dtype)
    want, end = chunk_quasar(*x.doubled().tensors, True)
    for form, bound in _forms(dtype):
        o, state = form(*x.tensors, True)
        assert worst_row_error(o, want) < bound
        assert worst_row_error(state[0], end[0]) < max(bound, 2e-3)


def _forms(dtype):
    return (
        (chunk_quasar, CHUNK_BOUNDS[dtype]),
        (fused_recurrent_quasar, BOUNDS[dtype]),
    )


@pytest.mark.parametrize("head_dim", [16, 32, 128])
def test_every_head_dimension_is_computed(head_dim):
    x = make_case("long_memory", 1500, head_dim=head_dim, device="cuda")
    x = x.to(torch.bfloat16)
    for form, bound in _forms(torch.bfloat16):
        o, _ = form(*x.tensors, layout="causal")
        want, _ = naive_quasar(*x.doubled().tensors, layout="causal")
        assert worst_row_error(o, want) < bound


def test_packed_sequences_do_not_see_one_another():
    x = make_case("long_memory", 3000, head_dim=64, device="cuda")
    marks = torch.tensor([0, 0, 1, 1700, 3000], device="cuda")
    starts = torch.randn(4, 2, 64, 64, device="cuda")
    arguments = (x.q, x.k, x.v, x.beta, starts, True, marks)
    for form in (chunk_quasar, fused_recurrent_quasar):
        o, states = form(*arguments, layout="causal")
        want, ends = naive_quasar(*arguments, layout="causal")
        assert worst_row_error(o, want) < 1e-4
        torch.testing.assert_close(states, ends, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("tokens", [16_384, 65_536])
def test_the_error_does_not_grow_with_length(tokens):
    x = make_case(
        "long_memory", tokens, heads=8, head_dim=64, device="cuda"
    ).to(torch.bfloat16)
    o, _ = chunk_quasar(*x.tensors, layout="causal")
    want, _ = chunk_quasar(*x.doubled().tensors, layout="causal")
    assert worst_row_error(o, want) < CHUNK_BOUNDS[torch.bfloat16]


def test_the_gradients_are_those_of_the_truth():
    x = make_case("long_memory", 600, head_dim=64, device="cuda")

    def gradients(case):
        case = case.wanting_gradients()
        o, state = chunk_quasar(*case.tensors, True)
        (o.double().square().sum() + state.double().square().sum()).backward()
        return [t.grad.double() for t in case.tensors]

    for mine, true in zip(gradients(x), gradients(x.doubled()), strict=True):
        assert (mine - true).norm() / true.norm() < 1e-3
