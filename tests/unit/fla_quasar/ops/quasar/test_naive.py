"""The truth itself, against the definition written out as matrices."""

import pytest
import torch
from fla_quasar.ops.quasar import naive_quasar

from tests.support.attention_inputs import make_case, read_by_hand


def by_definition(q, k, v, beta, state):
    """One head: `[T, S]` each, a number, `[S, S]`."""
    outputs = []
    identity = torch.eye(q.shape[1], dtype=q.dtype)
    for q_t, k_t, v_t in zip(q, k, v, strict=True):
        norm = torch.dot(k_t, k_t)
        alpha = (1 - torch.exp(-beta * norm)) / (norm + 1e-8)
        keep = identity - alpha * torch.outer(k_t, k_t)
        state = keep @ state + alpha * torch.outer(k_t, v_t)
        outputs.append(q_t @ state)
    return torch.stack(outputs), state


def test_a_causal_head_follows_the_definition():
    x = make_case("plain", 70, heads=2, batch=2).doubled()
    o, state = naive_quasar(*x.tensors, True, layout="causal")
    for b in range(2):
        for h in range(2):
            want, end = by_definition(
                x.q[b, :, h],
                x.k[b, :, h],
                x.v[b, :, h],
                x.beta[h],
                x.initial_state[b, h],
            )
            torch.testing.assert_close(o[b, :, h], want, rtol=0, atol=1e-12)
            torch.testing.assert_close(state[b, h], end, rtol=0, atol=1e-12)


@pytest.mark.parametrize("tokens", [1, 63, 64, 65, 130])
def test_the_interleaved_layout_reads_memory_head_first(tokens):
    x = make_case("plain", tokens, heads=3).doubled()
    o, state = naive_quasar(*x.tensors, True)
    q, k, v = (read_by_hand(t) for t in (x.q, x.k, x.v))
    for h in range(3):
        want, end = by_definition(
            q[0, h], k[0, h], v[0, h], x.beta[h], x.initial_state[0, h]
        )
        torch.testing.assert_close(
            o[0, :, h], want[:tokens], rtol=0, atol=1e-12
        )
        torch.testing.assert_close(state[0, h], end, rtol=0, atol=1e-12)


def test_head_first_memory_makes_the_interleaved_layout_causal():
    x = make_case("plain", 128)
    causal, _ = naive_quasar(*x.tensors, layout="causal")
    q, k, v = (
        t.transpose(1, 2).contiguous().view(t.shape) for t in (x.q, x.k, x.v)
    )
    raced, _ = naive_quasar(q, k, v, x.beta, x.initial_state)
    assert torch.equal(raced, causal)


def test_packed_sequences_are_those_sequences_one_by_one():
    x = make_case("plain", 40)
    marks = torch.tensor([0, 13, 13, 40])
    starts = torch.randn(3, 2, 16, 16)
    o, states = naive_quasar(
        x.q, x.k, x.v, x.beta, starts, True, marks, layout="causal"
    )
    for n, (start, stop) in enumerate([(0, 13), (13, 40)]):
        sequence = 2 * n
        want, end = naive_quasar(
            x.q[:, start:stop],
            x.k[:, start:stop],
            x.v[:, start:stop],
            x.beta,
            starts[sequence : sequence + 1],
            True,
            layout="causal",
        )
        assert torch.equal(o[:, start:stop], want)
        assert torch.equal(states[sequence], end[0])
    assert torch.equal(states[1], starts[1])


@pytest.mark.parametrize(
    ("dtype", "accumulates"),
    [
        (torch.bfloat16, torch.float32),
        (torch.float16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
)
def test_outputs_keep_the_dtype_and_states_accumulate(dtype, accumulates):
    x = make_case("plain", 5).to(dtype)
    o, state = naive_quasar(x.q, x.k, x.v, x.beta, None, True)
    assert (o.dtype, state.dtype) == (dtype, accumulates)


def test_no_final_state_is_handed_back_unasked():
    assert naive_quasar(*make_case("plain", 3).tensors)[1] is None


def test_the_gradients_are_those_of_finite_differences():
    x = make_case("plain", 4, heads=1).doubled().wanting_gradients()

    def both(*tensors):
        return naive_quasar(*tensors, True, layout="causal")

    assert torch.autograd.gradcheck(both, x.tensors)
