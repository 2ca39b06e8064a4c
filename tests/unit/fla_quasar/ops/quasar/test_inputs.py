"""What the operators refuse, and how they read memory."""

import re

import pytest
import torch
from fla_quasar.ops.quasar import (
    chunk_quasar,
    fused_recurrent_quasar,
    naive_quasar,
)
from fla_quasar.ops.quasar.inputs import heads_first, tokens_first

from tests.support.attention_inputs import read_by_hand

FORMS = (naive_quasar, chunk_quasar, fused_recurrent_quasar)


def arguments(**other):
    x = torch.ones(1, 4, 2, 16)
    return {"q": x, "k": x, "v": x, "beta": torch.ones(2)} | other


REFUSED = {
    "a head dimension between": (
        dict.fromkeys("qkv", torch.ones(1, 4, 2, 48)),
        "head dimension is 48; supported are 16, 32, 64, 128",
    ),
    "three dimensions": ({"q": torch.ones(4, 2, 16)}, "[B, T, H, S]"),
    "keys of another shape": (
        {"k": torch.ones(1, 5, 2, 16)},
        "k has shape [1, 5, 2, 16]",
    ),
    "values of another dtype": (
        {"v": torch.ones(1, 4, 2, 16).half()},
        "v is torch.float16",
    ),
    "integers": (
        dict.fromkeys("qkv", torch.ones(1, 4, 2, 16).int()),
        "q is torch.int32",
    ),
    "keys elsewhere": (
        {"k": torch.ones(1, 4, 2, 16, device="meta")},
        "k is torch.float32 on meta and q is torch.float32 on cpu",
    ),
    "a beta elsewhere": (
        {"beta": torch.ones(2, device="meta")},
        "beta is torch.float32 on meta",
    ),
    "a state elsewhere": (
        {"initial_state": torch.ones(1, 2, 16, 16, device="meta")},
        "initial_state is torch.float32 on meta",
    ),
    "complex numbers": (
        dict.fromkeys("qkv", torch.ones(1, 4, 2, 16, dtype=torch.cfloat)),
        "q is torch.complex64",
    ),
    "keys of fewer heads": (
        {"k": torch.ones(1, 4, 1, 16)},
        "must have the same shape",
    ),
    "no heads": (
        dict.fromkeys("qkv", torch.ones(1, 4, 0, 16))
        | {"beta": torch.ones(0)},
        "no dimension may be empty",
    ),
    "a state for each of two rows": (
        {"initial_state": torch.ones(2, 2, 16, 16)},
        "it must be [1, 2, 16, 16]",
    ),
    "no tokens": (
        dict.fromkeys("qkv", torch.ones(1, 0, 2, 16)),
        "no dimension may be empty",
    ),
    "a beta per token": (
        {"beta": torch.ones(4, 2)},
        "beta has shape [4, 2]; it must be [2]",
    ),
    "an integer beta": ({"beta": torch.ones(2).int()}, "floating point"),
    "a state without heads": (
        {"initial_state": torch.ones(1, 16, 16)},
        "it must be [1, 2, 16, 16]",
    ),
    "an integer state": (
        {"initial_state": torch.ones(1, 2, 16, 16).int()},
        "initial_state is torch.int32",
    ),
    "an unknown layout": ({"layout": "mixed"}, "layout is 'mixed'"),
    "packed sequences, interleaved": (
        {"cu_seqlens": torch.tensor([0, 4])},
        "cu_seqlens needs layout='causal'",
    ),
    "packed sequences in two rows": (
        dict.fromkeys("qkv", torch.ones(2, 4, 2, 16))
        | {"cu_seqlens": torch.tensor([0, 4]), "layout": "causal"},
        "B is 2",
    ),
    "boundaries in floating point": (
        {"cu_seqlens": torch.tensor([0.0, 4.0]), "layout": "causal"},
        "one row of integers",
    ),
    "boundaries in two rows": (
        {"cu_seqlens": torch.tensor([[0, 4]]), "layout": "causal"},
        "one row of integers",
    ),
    "a single boundary": (
        {"cu_seqlens": torch.tensor([0]), "layout": "causal"},
        "from 0 to T = 4",
    ),
    "boundaries that begin late": (
        {"cu_seqlens": torch.tensor([1, 4]), "layout": "causal"},
        "from 0 to T = 4",
    ),
    "boundaries below zero": (
        {"cu_seqlens": torch.tensor([0, -1, 4]), "layout": "causal"},
        "must not decrease",
    ),
    "boundaries that stop early": (
        {"cu_seqlens": torch.tensor([0, 3]), "layout": "causal"},
        "from 0 to T = 4",
    ),
    "boundaries that go back": (
        {"cu_seqlens": torch.tensor([0, 3, 2, 4]), "layout": "causal"},
        "must not decrease",
    ),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("other", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_computed_is_refused_with_a_reason(form, other, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        form(**arguments(**other))


@pytest.mark.parametrize("form", FORMS)
def test_the_keywords_of_the_layout_cannot_be_given_by_place(form):
    x = torch.ones(1, 4, 2, 16)
    with pytest.raises(TypeError):
        form(x, x, x, torch.ones(2), None, False, None, "causal")


@pytest.mark.parametrize("tokens", [1, 64, 70])
def test_interleaved_memory_is_read_row_by_row(tokens):
    x = torch.randn(2, tokens, 3, 16)
    assert torch.equal(heads_first(x, "interleaved"), read_by_hand(x))


def test_interleaved_memory_is_read_in_logical_order_whatever_its_strides():
    x = torch.randn(1, 3, 64, 16).transpose(1, 2)
    assert torch.equal(
        heads_first(x, "interleaved"), read_by_hand(x.contiguous())
    )


def test_causal_heads_are_read_without_a_copy():
    x = torch.randn(2, 5, 3, 16)
    assert heads_first(x, "causal").data_ptr() == x.data_ptr()
    assert torch.equal(tokens_first(heads_first(x, "causal"), 5), x)


def test_outputs_are_written_back_in_the_order_of_tokens():
    o = torch.randn(1, 3, 64, 16)
    written = tokens_first(o, 10)
    assert written.is_contiguous()
    assert torch.equal(written[0, 7, 2], o[0, 2, 7])
    assert written.shape == (1, 10, 3, 16)
