"""Gradients of a forward by way of another form of it."""

import pytest
import torch
from fla_quasar.ops.quasar.recompute import recomputed


def opaque(x, y):
    """A forward that autograd cannot see through."""
    return (x.detach() * y.detach()).clone(), x.detach() + 1


def plain(x, y):
    return x * y, x + 1


def test_values_come_from_one_form_and_gradients_from_the_other():
    x = torch.tensor([2.0, 3.0], requires_grad=True)
    y = torch.tensor([5.0, 7.0], requires_grad=True)
    product, _ = recomputed(opaque, plain, x, y)
    product.sum().backward()
    assert torch.equal(product, torch.tensor([10.0, 21.0]))
    assert torch.equal(x.grad, y)
    assert torch.equal(y.grad, x)


def test_what_needs_no_gradient_gets_none():
    x = torch.tensor([2.0], requires_grad=True)
    y = torch.tensor([5.0])
    _, more = recomputed(opaque, plain, x, y)
    more.sum().backward()
    assert torch.equal(x.grad, torch.ones(1))
    assert y.grad is None


def test_a_second_derivative_is_refused_and_not_wrong():
    x = torch.tensor([2.0], requires_grad=True)
    product, _ = recomputed(opaque, plain, x, x)
    square = (product * product).sum()
    (first,) = torch.autograd.grad(square, x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()
