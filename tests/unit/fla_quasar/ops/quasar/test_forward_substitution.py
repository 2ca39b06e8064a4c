"""The triangular solve, also where a truncated series diverges."""

import pytest
import torch
from fla_quasar.ops.quasar import forward_substitution


@pytest.mark.parametrize("size", [1, 7, 16, 32, 48, 64])
def test_it_inverts(size):
    m = torch.randn(3, 2, size, size, dtype=torch.float64).tril(-1)
    identity = torch.eye(size, dtype=torch.float64)
    inverse = forward_substitution(m * 0.3)
    torch.testing.assert_close(
        (identity + m * 0.3) @ inverse, identity.expand_as(m)
    )


def test_parallel_keys_are_solved_in_float32():
    m = torch.full((64, 64), 0.97).tril(-1)
    error = forward_substitution(m) @ (torch.eye(64) + m) - torch.eye(64)
    assert error.abs().max() < 1e-5


def test_only_what_lies_below_the_diagonal_is_read():
    m = torch.randn(2, 32, 32) * 0.2
    assert torch.equal(
        forward_substitution(m), forward_substitution(m.tril(-1))
    )


def test_narrow_matrices_are_solved_in_float32():
    m = torch.randn(16, 16).half()
    assert forward_substitution(m).dtype == torch.float32


@pytest.mark.parametrize("size", [5, 32])
def test_the_gradient_is_that_of_finite_differences(size):
    m = torch.randn(size, size, dtype=torch.float64) * 0.2
    assert torch.autograd.gradcheck(
        forward_substitution, (m.requires_grad_(),), fast_mode=True
    )
    (gradient,) = torch.autograd.grad(forward_substitution(m).sum(), m)
    assert torch.equal(gradient, gradient.tril(-1))


def test_what_is_not_square_is_refused():
    with pytest.raises(ValueError, match=r"\[\.\.\., BT, BT\]"):
        forward_substitution(torch.ones(3, 4))
