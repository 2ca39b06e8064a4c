"""The gated RMS norm."""

import pytest
import torch
from fla_quasar.modules.gated_norm import GatedRMSNorm


def test_it_is_its_formula():
    norm = GatedRMSNorm(8, eps=1e-3).double()
    torch.nn.init.normal_(norm.weight)
    x, gate = torch.randn(2, 3, 8).double(), torch.randn(2, 3, 8).double()
    rms = (x.pow(2).mean(-1, keepdim=True) + 1e-3).sqrt()
    want = x / rms * norm.weight / (1 + torch.exp(-gate))
    torch.testing.assert_close(norm(x, gate), want)


def test_narrow_inputs_are_normalised_in_float32():
    norm = GatedRMSNorm(8)
    x = torch.full((1, 8), 300.0).half()
    y = norm(x, torch.full_like(x, 20))
    assert y.dtype == torch.float16
    torch.testing.assert_close(y, torch.ones_like(y))


def test_a_gate_of_another_shape_is_refused():
    with pytest.raises(ValueError, match="must be alike and end in 8"):
        GatedRMSNorm(8)(torch.ones(2, 8), torch.ones(8))
