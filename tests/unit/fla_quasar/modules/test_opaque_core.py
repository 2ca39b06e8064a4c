"""The core as an operator that a compiler takes as it is."""

import pytest
import torch
from fla_quasar.modules.opaque_core import opaque_core
from fla_quasar.ops.quasar import chunk_quasar

from tests.support.attention_inputs import make_case

MARKS = torch.tensor([0, 0, 30, 70])


def outcome(core, case, marks, layout):
    """Outputs, state and the gradients of all five arguments."""
    case = case.wanting_gradients()
    o, state = core(*case.tensors, True, marks, layout=layout)
    (o.square().sum() + state.square().sum()).backward()
    return [o.detach(), state.detach(), *(x.grad for x in case.tensors)]


@pytest.mark.parametrize("form", ["chunk", "fused_recurrent"])
@pytest.mark.parametrize(
    ("layout", "marks"),
    [("interleaved", None), ("causal", None), ("causal", MARKS)],
)
def test_it_is_the_core_and_its_gradient(form, layout, marks):
    x = make_case("long_memory", 70).doubled()
    if marks is not None:
        starts = torch.randn(3, 2, 16, 16, dtype=torch.float64)
        x = type(x)(*x.tensors[:4], starts)

    def core(*arguments, **options):
        return opaque_core(form, *arguments, **options)

    got = outcome(core, x, marks, layout)
    want = outcome(chunk_quasar, x, marks, layout)
    for mine, true in zip(got, want, strict=True):
        torch.testing.assert_close(mine, true)


def test_no_state_is_needed_and_none_is_handed_back_unasked():
    q, k, v, beta, _ = make_case("plain", 9).tensors
    q.requires_grad_()
    o, state = opaque_core("chunk", q, k, v, beta)
    assert state is None
    o.sum().backward()
    assert q.grad.any()


def test_a_compiler_is_told_its_shapes():
    x = torch.empty(1, 9, 2, 16, device="meta", dtype=torch.bfloat16)
    beta = torch.empty(2, device="meta")
    o, state = opaque_core("chunk", x, x, x, beta, None, True)
    assert (o.shape, o.dtype) == (x.shape, x.dtype)
    assert (state.shape, state.dtype) == ((1, 2, 16, 16), torch.float32)
    marks = torch.empty(4, dtype=torch.int64, device="meta")
    o, state = opaque_core(
        "chunk", x, x, x, beta, None, True, marks, layout="causal"
    )
    assert len(state) == 3


def test_what_it_cannot_compute_is_refused_in_the_same_words():
    x = torch.ones(1, 4, 2, 48)
    with pytest.raises(ValueError, match="head dimension is 48"):
        opaque_core("chunk", x, x, x, torch.ones(2))
