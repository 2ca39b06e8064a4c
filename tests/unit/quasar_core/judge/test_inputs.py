from itertools import pairwise

import pytest
import torch
from quasar_core.judge.inputs import (
    AFTERGLOW,
    FAMILIES,
    MEMORY,
    STIFF,
    SUBSPACE,
    draw_inputs,
)
from quasar_core.judge.seeds import Seeds
from quasar_core.judge.shapes import CallShape, ElementType

SEEDS = Seeds(bytes(32), "run")


def spans_of(inputs, family):
    return [
        (head, span)
        for head, spans in enumerate(inputs.spans)
        for span in spans
        if span.family == family
    ]


def test_one_draw_is_repeatable_and_no_two_are_alike():
    shape = CallShape(128)
    once, again = (draw_inputs(SEEDS, "timed", 1, shape) for _ in range(2))
    other = draw_inputs(SEEDS, "timed", 2, shape)
    assert once.spans == again.spans
    assert all(
        torch.equal(a, b)
        for a, b in zip(once.sections, again.sections, strict=True)
    )
    assert not torch.equal(once.q, other.q)


def test_every_family_has_a_head_to_itself():
    for call in range(5):
        inputs = draw_inputs(SEEDS, "timed", call, CallShape(512))
        primaries = [spans[-1].family for spans in inputs.spans]
        assert sorted(primaries) == sorted(FAMILIES * 2)


def test_spans_cover_every_token_of_every_head():
    inputs = draw_inputs(SEEDS, "timed", 0, CallShape(448))
    for head, spans in enumerate(inputs.spans):
        assert spans[0].start == 0
        assert spans[-1].end == 448
        assert all(a.end == b.start for a, b in pairwise(spans))
        for span in spans:
            assert inputs.family_at(head, span.start) == span.family
            assert inputs.family_at(head, span.end - 1) == span.family


def test_a_memory_spans_keys_are_small_and_its_late_values_vanish():
    inputs = draw_inputs(SEEDS, "timed", 0, CallShape(1024))
    for head, span in spans_of(inputs, MEMORY):
        keys = inputs.k[0, head, span.start : span.end]
        squares = keys.square().sum(-1)
        n = 64 / (2 * float(inputs.beta[head]) * float(squares.mean()))
        assert n >= min(512, span.length) * 0.99
        values = inputs.v[0, head, span.start : span.end].norm(dim=-1)
        late = values[int(0.6 * span.length) + 1 :].mean()
        assert late < 2 * AFTERGLOW * values[: span.length // 3].mean()


def test_a_subspace_spans_keys_change_halves():
    inputs = draw_inputs(SEEDS, "timed", 0, CallShape(1024))
    for head, span in spans_of(inputs, SUBSPACE):
        keys = inputs.k[0, head, span.start : span.end]
        assert not keys[0, 32:].any()
        assert not keys[-1, :32].any()
        assert bool(
            ((keys[:, :32] != 0).any(-1) ^ (keys[:, 32:] != 0).any(-1)).all()
        )


def test_a_stiff_spans_keys_are_nearly_parallel_and_erase_all():
    inputs = draw_inputs(SEEDS, "timed", 0, CallShape(1024))
    for head, span in spans_of(inputs, STIFF):
        keys = inputs.k[0, head, span.start : span.start + 32]
        cosines = torch.cosine_similarity(keys[:1], keys[1:], dim=-1)
        assert cosines.min() > 0.9
        erased = inputs.beta[head] * keys.square().sum(-1)
        assert (-torch.expm1(-erased)).min() > 0.99


def test_scaled_values_differ_by_orders_of_magnitude_between_heads():
    plain = draw_inputs(SEEDS, "c", 0, CallShape(256))
    scaled = draw_inputs(SEEDS, "c", 0, CallShape(256), scaled=True)
    ratio = scaled.v.abs().sum((0, 2, 3)) / plain.v.abs().sum((0, 2, 3))
    assert ratio.max() == pytest.approx(100, rel=1e-4)
    assert ratio.min() < 10


def test_no_row_is_zero_so_that_none_can_be_skipped():
    inputs = draw_inputs(SEEDS, "timed", 0, CallShape(512))
    for tensor in (inputs.q, inputs.k, inputs.v):
        assert bool(tensor.any(-1).all())


def test_states_and_types_are_as_the_shape_says():
    shape = CallShape(
        64, element=ElementType.BFLOAT16, initial_state=True, head_dim=16
    )
    inputs = draw_inputs(SEEDS, "c", 0, shape)
    assert inputs.q.dtype == torch.bfloat16
    assert [section.dtype for section in inputs.sections[3:]] == [
        torch.float32,
        torch.float32,
    ]
    assert inputs.initial_state.shape == (1, 8, 16, 16)
    assert inputs.beta.min() > 0
