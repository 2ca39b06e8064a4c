"""`chunk_quasar` on the CPU against the truth."""

import pytest
import torch
from fla_quasar.ops.quasar import chunk_quasar, naive_quasar

from tests.support.attention_inputs import (
    FAMILIES,
    LENGTHS,
    make_case,
    worst_row_error,
)

LAYOUTS = ("interleaved", "causal")


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("tokens", LENGTHS)
@pytest.mark.parametrize("family", FAMILIES)
def test_float32_is_right_to_its_last_digits(family, tokens, layout):
    x = make_case(family, tokens, head_dim=64, layout=layout)
    o, state = chunk_quasar(*x.tensors, True, layout=layout)
    want, end = naive_quasar(*x.doubled().tensors, True, layout=layout)
    assert worst_row_error(o, want) < 1e-5
    assert worst_row_error(state.flatten(0, 1), end.flatten(0, 1)) < 1e-5
    assert (o.dtype, state.dtype) == (torch.float32, torch.float32)


@pytest.mark.parametrize("head_dim", [16, 32, 64, 128])
@pytest.mark.parametrize("family", FAMILIES)
def test_float64_stays_float64(family, head_dim):
    x = make_case(family, 130, head_dim=head_dim, batch=2).doubled()
    o, state = chunk_quasar(*x.tensors, True, layout="causal")
    want, end = naive_quasar(*x.tensors, True, layout="causal")
    assert worst_row_error(o, want) < 1e-12
    assert worst_row_error(state.flatten(0, 1), end.flatten(0, 1)) < 1e-12


@pytest.mark.parametrize(
    ("dtype", "bound"), [(torch.bfloat16, 4e-3), (torch.float16, 6e-4)]
)
@pytest.mark.parametrize("family", FAMILIES)
def test_narrow_inputs_lose_only_the_rounding_of_the_output(
    family, dtype, bound
):
    x = make_case(family, 257, layout="interleaved").to(dtype)
    o, state = chunk_quasar(*x.tensors, True)
    want, _ = naive_quasar(*x.doubled().tensors)
    assert worst_row_error(o, want) < bound
    assert (o.dtype, state.dtype) == (dtype, torch.float32)


def test_memory_survives_many_spans_of_chunks():
    x = make_case("long_memory", 4096, head_dim=64, layout="interleaved")
    o, _ = chunk_quasar(*x.tensors)
    want, _ = naive_quasar(*x.doubled().tensors)
    assert worst_row_error(o, want) < 1e-5


@pytest.mark.parametrize("family", ["long_memory", "subspace"])
def test_these_inputs_tell_a_kernel_that_forgets(family):
    x = make_case(family, 256, head_dim=64)
    want, _ = naive_quasar(*x.tensors, layout="causal")
    forgetful = torch.cat(
        [
            chunk_quasar(
                x.q[:, t : t + 64],
                x.k[:, t : t + 64],
                x.v[:, t : t + 64],
                x.beta,
                layout="causal",
            )[0]
            for t in range(0, 256, 64)
        ],
        1,
    )
    assert worst_row_error(forgetful, want) > 0.5


def test_a_sequence_in_two_calls_is_the_sequence_in_one():
    x = make_case("long_memory", 200)
    whole, end = chunk_quasar(*x.tensors, True, layout="causal")
    first, state = chunk_quasar(
        x.q[:, :77],
        x.k[:, :77],
        x.v[:, :77],
        x.beta,
        x.initial_state,
        True,
        layout="causal",
    )
    second, state = chunk_quasar(
        x.q[:, 77:],
        x.k[:, 77:],
        x.v[:, 77:],
        x.beta,
        state,
        True,
        layout="causal",
    )
    assert worst_row_error(torch.cat((first, second), 1), whole) < 1e-5
    torch.testing.assert_close(state, end, rtol=1e-4, atol=1e-5)


def test_no_causal_token_sees_a_later_one():
    x = make_case("plain", 150)
    whole, _ = chunk_quasar(*x.tensors, layout="causal")
    x.k[:, 100:], x.v[:, 100:] = 7, -7
    changed, _ = chunk_quasar(*x.tensors, layout="causal")
    assert torch.equal(changed[:, :100], whole[:, :100])
    assert not torch.equal(changed[:, 100:], whole[:, 100:])


def test_packed_sequences_do_not_see_one_another():
    x = make_case("plain", 200)
    starts = torch.randn(4, 2, 16, 16)
    marks = torch.tensor([0, 1, 1, 130, 200], dtype=torch.int32)
    o, states = chunk_quasar(
        x.q, x.k, x.v, x.beta, starts, True, marks, layout="causal"
    )
    want, ends = naive_quasar(
        x.q, x.k, x.v, x.beta, starts, True, marks, layout="causal"
    )
    assert worst_row_error(o, want) < 1e-5
    torch.testing.assert_close(states, ends, rtol=1e-4, atol=1e-5)


def test_zero_keys_change_nothing_and_stay_finite():
    x = make_case("plain", 65)
    x.k.zero_()
    o, state = chunk_quasar(*x.tensors, True, layout="causal")
    assert torch.equal(state, x.initial_state)
    want, _ = naive_quasar(*x.tensors, layout="causal")
    torch.testing.assert_close(o, want)


def test_the_inputs_are_left_as_they_were():
    x = make_case("plain", 70)
    before = [t.clone() for t in x.tensors]
    chunk_quasar(*x.tensors, True)
    assert all(map(torch.equal, x.tensors, before))


@pytest.mark.parametrize(
    ("layout", "tokens"), [("interleaved", 3), ("causal", 66)]
)
def test_the_gradients_are_those_of_finite_differences(layout, tokens):
    x = make_case("plain", tokens, heads=1).doubled().wanting_gradients()

    def both(*tensors):
        return chunk_quasar(*tensors, True, layout=layout)

    assert torch.autograd.gradcheck(both, x.tensors, fast_mode=True)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_gradients_are_those_of_the_truth(family):
    x = make_case(family, 257, layout="interleaved")
    weights = torch.randn(1, 257, 2, 16)

    def gradients(form, case):
        case = case.wanting_gradients()
        o, _ = form(*case.tensors, True)
        (o * weights).sum().backward()
        return [t.grad for t in case.tensors]

    got = gradients(chunk_quasar, x)
    want = gradients(naive_quasar, x.doubled())
    for mine, true in zip(got, want, strict=True):
        # where the gate is shut beta's gradient is below any float32
        off = (mine.double() - true).norm() / true.norm().clamp(min=1e-6)
        assert off < 1e-4


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_output_lies_where_it_is_wanted(layout):
    x = make_case("plain", 130, head_dim=16, layout=layout)
    want, _ = chunk_quasar(*x.tensors, layout=layout)
    place = torch.full_like(want, torch.nan)
    o, _ = chunk_quasar(*x.tensors, layout=layout, out=place)
    assert o.data_ptr() == place.data_ptr()
    assert torch.equal(place, want)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda out: out.double(), "float64"),
        (lambda out: out[:, 1:], "it must be"),
        (lambda out: out.expand(2, -1, -1, -1)[:1, ::1, :, ::2], "must be"),
        (
            lambda out: out.transpose(1, 2).contiguous().transpose(1, 2),
            "contiguous",
        ),
        (lambda out: out.clone().requires_grad_(), "gradients"),
    ],
)
def test_a_place_that_does_not_fit_is_refused(change, message):
    x = make_case("plain", 66, head_dim=16)
    o, _ = chunk_quasar(*x.tensors)
    with pytest.raises(ValueError, match=message):
        chunk_quasar(*x.tensors, out=change(o))


def test_no_place_is_given_where_gradients_are_asked_for():
    x = make_case("plain", 66, head_dim=16)
    q, *others = x.tensors
    with pytest.raises(ValueError, match="gradients"):
        chunk_quasar(q.requires_grad_(), *others, out=torch.empty(q.shape))
