"""The layer's parts as operators: the same numbers and gradients."""

import pytest
import torch
from fla_quasar.modules import fused

from tests.support.interpreted_kernels import errors_of


def test_interpreted_the_layer_is_the_same_with_them():
    errors = errors_of("layer")
    assert len(errors) == 11
    assert {n: e for n, e in errors.items() if not e < 1e-5} == {}


def meta(*shape):
    return torch.empty(shape, device="meta", requires_grad=True)


@pytest.mark.parametrize("has_bias", [True, False])
def test_a_compiler_is_told_the_shapes_of_three_convolutions(has_bias):
    x, weight = meta(2, 9, 3 * 8 + 5), meta(24, 4)
    bias = meta(24) if has_bias else None
    parts, rest = fused.conv_silu_of_three(x, weight, bias)
    assert [part.shape for part in parts] == [(2, 9, 8)] * 3
    assert rest.shape == (2, 9, 5)
    sum(part.sum() for part in (*parts, rest)).backward()
    assert x.grad.shape == x.shape
    assert weight.grad.shape == weight.shape
    assert not has_bias or bias.grad.shape == bias.shape


def test_a_compiler_is_told_the_shapes_of_one_convolution():
    x, weight, bias = meta(2, 9, 8), meta(8, 4), meta(8)
    y = fused.conv_silu(x, weight, bias)
    assert y.shape == x.shape
    y.sum().backward()
    assert (x.grad.shape, weight.grad.shape) == (x.shape, weight.shape)


def test_a_compiler_is_told_the_shapes_of_the_norm():
    tensors = [meta(2, 9, 3, 16), meta(2, 9, 16), meta(48, 16), meta(48)]
    tensors.append(meta(16))
    y = fused.gated_norm(*tensors, 1e-5)
    assert y.shape == (2, 9, 3, 16)
    y.sum().backward()
    assert [x.grad.shape for x in tensors] == [x.shape for x in tensors]
