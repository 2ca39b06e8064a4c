"""`fused_recurrent_quasar` on the CPU against the truth."""

import pytest
import torch
from fla_quasar.ops.quasar import fused_recurrent_quasar, naive_quasar

from tests.support.attention_inputs import (
    FAMILIES,
    make_case,
    worst_row_error,
)


@pytest.mark.parametrize("layout", ["interleaved", "causal"])
@pytest.mark.parametrize("family", FAMILIES)
def test_it_is_the_same_function(family, layout):
    x = make_case(family, 70, layout=layout)
    o, state = fused_recurrent_quasar(*x.tensors, True, layout=layout)
    want, end = naive_quasar(*x.doubled().tensors, True, layout=layout)
    assert worst_row_error(o, want) < 1e-5
    assert worst_row_error(state.flatten(0, 1), end.flatten(0, 1)) < 1e-5


def test_token_by_token_is_the_whole():
    x = make_case("long_memory", 20)
    whole, end = naive_quasar(*x.tensors, True, layout="causal")
    state = x.initial_state
    for t in range(20):
        one = slice(t, t + 1)
        o, state = fused_recurrent_quasar(
            x.q[:, one],
            x.k[:, one],
            x.v[:, one],
            x.beta,
            state,
            True,
            layout="causal",
        )
        torch.testing.assert_close(o, whole[:, one], rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(state, end, rtol=1e-4, atol=1e-6)


def test_packed_sequences_may_be_empty():
    x = make_case("plain", 9)
    marks = torch.tensor([0, 0, 4, 9])
    starts = torch.randn(3, 2, 16, 16)
    got = fused_recurrent_quasar(
        x.q, x.k, x.v, x.beta, starts, True, marks, layout="causal"
    )
    want = naive_quasar(
        x.q, x.k, x.v, x.beta, starts, True, marks, layout="causal"
    )
    torch.testing.assert_close(got, want)


def test_the_gradients_are_those_of_finite_differences():
    x = make_case("plain", 4, heads=1).doubled().wanting_gradients()

    def both(*tensors):
        return fused_recurrent_quasar(*tensors, True, layout="causal")

    assert torch.autograd.gradcheck(both, x.tensors, fast_mode=True)
