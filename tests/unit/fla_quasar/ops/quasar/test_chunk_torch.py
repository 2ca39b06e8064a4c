"""The PyTorch chunk form: what its callers count on."""

import torch
from fla_quasar.ops.quasar import chunk_torch
from fla_quasar.ops.quasar.chunk_torch import chunk_form, corrected_factors

from tests.support.attention_inputs import make_case


def form_arguments(tokens):
    x = make_case("plain", tokens).doubled()
    q, k, v = (t.transpose(1, 2) for t in (x.q, x.k, x.v))
    return q, k, v, x.beta, x.initial_state


def test_the_span_worked_on_at_once_changes_nothing(monkeypatch):
    whole, end = chunk_form(*form_arguments(300))
    monkeypatch.setattr(chunk_torch, "SPAN", 1)
    parts, last = chunk_form(*form_arguments(300))
    torch.testing.assert_close(parts, whole, rtol=0, atol=1e-13)
    torch.testing.assert_close(last, end, rtol=0, atol=1e-13)


def test_no_tokens_leave_the_state_as_it_is():
    nothing, _, _, beta, state = form_arguments(4)
    nothing = nothing[:, :, :0]
    o, end = chunk_form(nothing, nothing, nothing, beta, state)
    assert o.shape == (1, 2, 0, 16)
    assert torch.equal(end, state)


def test_the_factors_solve_their_triangular_system():
    _, k, v, beta, _ = form_arguments(64)
    w, u = corrected_factors(k, v, beta)
    norms = (k * k).sum(-1, keepdim=True)
    alpha = -torch.expm1(-beta[:, None, None] * norms) / (norms + 1e-8)
    system = torch.eye(64) + (alpha * k @ k.mT).tril(-1)
    torch.testing.assert_close(system @ w, alpha * k)
    torch.testing.assert_close(system @ u, alpha * v)
