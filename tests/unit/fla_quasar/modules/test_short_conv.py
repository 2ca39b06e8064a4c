"""The short convolution: causal, resumable, one sequence at a time."""

import pytest
import torch
from fla_quasar.modules.short_conv import ShortConvolution
from torch.nn.functional import conv1d, silu


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("size", [1, 4])
def test_it_is_a_depthwise_convolution_with_silu(size, bias):
    conv = ShortConvolution(6, size, bias).double()
    if bias:
        torch.nn.init.normal_(conv.bias)
    x = torch.randn(2, 9, 6, dtype=torch.float64)
    padded = torch.nn.functional.pad(x.mT, (size - 1, 0))
    want = conv1d(padded, conv.weight[:, None], conv.bias, groups=6)
    torch.testing.assert_close(conv(x), silu(want.mT))


@pytest.mark.parametrize("cut", [1, 2, 7])
def test_it_goes_on_where_it_stopped(cut):
    conv = ShortConvolution(3, 4)
    x, past = torch.randn(2, 8, 3), torch.randn(2, 3, 3)
    first = conv(x[:, :cut], past)
    second = conv(x[:, cut:], conv.last(x[:, :cut], past))
    torch.testing.assert_close(
        torch.cat((first, second), 1), conv(x, past), rtol=0, atol=1e-6
    )


def test_packed_sequences_do_not_see_one_another():
    conv = ShortConvolution(3, 4)
    x, past = torch.randn(1, 9, 3), torch.randn(3, 3, 3)
    marks = torch.tensor([0, 2, 2, 9])
    y, last = conv(x, past, marks), conv.last(x, past, marks)
    for n, (start, stop) in enumerate([(0, 2), (2, 2), (2, 9)]):
        alone, before = x[:, start:stop], past[n : n + 1]
        assert torch.equal(y[:, start:stop], conv(alone, before))
        assert torch.equal(last[n], conv.last(alone, before)[0])


def test_wrong_shapes_are_refused():
    conv = ShortConvolution(3, 4)
    with pytest.raises(ValueError, match=r"\[B, T, 3\]"):
        conv(torch.ones(2, 5, 4))
    with pytest.raises(ValueError, match=r"it must be \[2, 3, 3\]"):
        conv(torch.ones(2, 5, 3), torch.ones(1, 3, 3))
    with pytest.raises(ValueError, match="at least 1"):
        ShortConvolution(3, 0)
