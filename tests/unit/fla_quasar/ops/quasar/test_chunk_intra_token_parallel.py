"""The stage inside a chunk, by tiles of tokens."""

import pytest
import torch
from fla_quasar.ops.quasar import chunk_intra_token_parallel, naive_quasar

from tests.support.attention_inputs import make_case


def test_outputs_follow_from_it_and_the_state_alone():
    x = make_case("plain", 150).doubled()
    q, k, v = (t.transpose(1, 2) for t in (x.q, x.k, x.v))
    w, u, scores = chunk_intra_token_parallel(q, k, v, x.beta)
    state = x.initial_state
    rows = []
    for n in range(3):
        part = slice(64 * n, 64 * n + 64)
        q_n, k_n = q[:, :, part], k[:, :, part]
        d = u[:, :, n] - w[:, :, n] @ state
        size = q_n.shape[2]
        rows.append(q_n @ state + (scores[:, :, n] @ d)[:, :, :size])
        state = state + k_n.mT @ d[:, :, :size]
    want, end = naive_quasar(*x.tensors, True, layout="causal")
    torch.testing.assert_close(torch.cat(rows, 2).transpose(1, 2), want)
    torch.testing.assert_close(state, end)


def test_it_has_gradients():
    x = make_case("plain", 5, heads=1).doubled().wanting_gradients()

    def head_first(q, k, v, beta):
        return chunk_intra_token_parallel(
            q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), beta
        )

    assert torch.autograd.gradcheck(head_first, x.tensors[:4], fast_mode=True)


def test_shapes_that_disagree_are_refused():
    x = torch.ones(1, 2, 8, 16)
    with pytest.raises(ValueError, match="alike"):
        chunk_intra_token_parallel(x, x[:, :, 1:], x, torch.ones(2))
    with pytest.raises(ValueError, match=r"it must be \[2\]"):
        chunk_intra_token_parallel(x, x, x, torch.ones(8))
    odd = x[..., :15]
    with pytest.raises(ValueError, match="supported are"):
        chunk_intra_token_parallel(odd, odd, odd, torch.ones(2))
