"""The gate and its gradient, down to the smallest keys."""

import math

import pytest
import torch
from fla_quasar.ops.quasar import fused_quasar_gate

NORMS = (0.0, 1e-12, 1e-8, 1e-6, 1e-4, 1e-2, 0.05, 0.11, 1.0, 30.0, 1e4)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("beta", [1.0, 16.0])
def test_the_gate_is_its_formula(norm, beta):
    alpha = fused_quasar_gate(torch.tensor([norm]), torch.tensor([beta]))
    want = -math.expm1(-beta * norm) / (norm + 1e-8)
    assert float(alpha) == pytest.approx(want, rel=1e-6)


def test_each_head_has_its_own_beta():
    norms = torch.rand(2, 5, 3)
    beta = torch.tensor([0.5, 1.0, 9.0])
    alpha = fused_quasar_gate(norms, beta)
    for h in range(3):
        alone = fused_quasar_gate(norms[..., h : h + 1], beta[h : h + 1])
        assert torch.equal(alpha[..., h], alone[..., 0])


def test_the_gradient_is_that_of_finite_differences():
    norms = torch.rand(6, 2, dtype=torch.float64) * 3 + 1e-3
    beta = torch.tensor([0.7, 8.0], dtype=torch.float64)
    assert torch.autograd.gradcheck(
        fused_quasar_gate, (norms.requires_grad_(), beta.requires_grad_())
    )


@pytest.mark.parametrize("norm", NORMS[1:])
def test_the_float32_gradient_does_not_cancel(norm):
    beta = 1.3

    def slope(dtype):
        x = torch.tensor([norm], dtype=dtype, requires_grad=True)
        fused_quasar_gate(x, torch.tensor([beta], dtype=dtype)).backward()
        return float(x.grad)

    assert slope(torch.float32) == pytest.approx(
        slope(torch.float64), rel=2e-5, abs=1e-30
    )


def test_heads_that_disagree_are_refused():
    with pytest.raises(ValueError, match=r"\[\.\.\., H\] and \[H\]"):
        fused_quasar_gate(torch.ones(4, 3), torch.ones(2))
