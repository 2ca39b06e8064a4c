"""Odd but lawful inputs: a right result whatever the memory looks like."""

import pytest
import torch
from fla_quasar.ops.quasar import (
    chunk_quasar,
    fused_recurrent_quasar,
    naive_quasar,
)

from tests.support.attention_inputs import make_case, worst_row_error
from tests.support.interpreted_kernels import errors_of

FORMS = (chunk_quasar, fused_recurrent_quasar)


def strided(x):
    """Every second number of a longer row, channels apart."""
    wide = torch.full((*x.shape[:-1], 2 * x.shape[-1]), torch.nan)
    wide[..., ::2] = x
    return wide[..., ::2]


def unaligned(x):
    memory = torch.full((x.numel() + 3,), torch.nan)
    return memory[3:].view(x.shape).copy_(x)


def heads_apart(x):
    return x.transpose(1, 2).contiguous().transpose(1, 2)


def backwards_and_back(x):
    return x.mT.contiguous().mT


STRANGE = (strided, unaligned, heads_apart, backwards_and_back)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("layout", ["interleaved", "causal"])
@pytest.mark.parametrize("made", STRANGE)
def test_where_numbers_lie_changes_nothing(form, layout, made):
    x = make_case("plain", 70)
    q, k, v = (made(t.contiguous()) for t in (x.q, x.k, x.v))
    state = backwards_and_back(x.initial_state)
    o, end = form(q, k, v, x.beta, state, True, layout=layout)
    want, last = naive_quasar(*x.doubled().tensors, True, layout=layout)
    assert worst_row_error(o, want) < 1e-5
    torch.testing.assert_close(end.double(), last, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("form", FORMS)
def test_tensors_may_be_one_and_the_same(form):
    x = make_case("plain", 70).k
    beta = torch.ones(2)
    o, _ = form(x, x, x, beta, layout="causal")
    want, _ = naive_quasar(
        *(t.double() for t in (x, x, x, beta)), layout="causal"
    )
    assert worst_row_error(o, want) < 1e-5
    alike = x[:, :1].expand(-1, 9, -1, -1)
    o, _ = form(alike, alike, alike, beta, layout="causal")
    want, _ = naive_quasar(alike, alike, alike, beta, layout="causal")
    torch.testing.assert_close(o, want, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("token", [0, 63, 64, 99])
def test_changing_a_token_moves_nothing_before_it(form, token):
    x = make_case("plain", 100)
    before, _ = form(*x.tensors, layout="causal")
    for t in (x.q, x.k, x.v):
        t[:, token:] = -2
    after, _ = form(*x.tensors, layout="causal")
    assert torch.equal(after[:, :token], before[:, :token])
    assert not torch.equal(after[:, token], before[:, token])


@pytest.mark.parametrize("form", FORMS)
def test_the_same_inputs_give_the_same_bits(form):
    def outcome():
        x = make_case("stiff", 100).wanting_gradients()
        o, state = form(*x.tensors, True)
        (o.sum() + state.square().sum()).backward()
        return [o, state, *(t.grad for t in x.tensors)]

    assert all(map(torch.equal, outcome(), outcome()))


def test_interpreted_nothing_unwritten_is_read_nor_anything_beside():
    errors = errors_of("edges")
    for name in ("chunk", "recurrent"):
        assert errors.pop(f"{name} moves what was before") == 0
    assert len(errors) == 12
    assert {n: e for n, e in errors.items() if not e < 1e-5} == {}
