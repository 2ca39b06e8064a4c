"""Where tokens lie, and how they are cut into chunks and segments."""

import pytest
import torch
from fla_quasar.ops.quasar.inputs import check_inputs
from fla_quasar.ops.quasar.segments import cut, processors, read_memory

from tests.support.attention_inputs import read_by_hand


def inputs_of(tokens, heads=8, marks=None, batch=1, layout="causal"):
    x = torch.empty(1, 1, 1, 16).expand(batch, tokens, heads, 16)
    if marks is not None:
        marks = torch.tensor(marks)
    return check_inputs(x, x, x, torch.ones(heads), None, marks, layout)


def cut_of(tokens, size=32, length=None, **options):
    inputs = inputs_of(tokens, **options)
    return cut(inputs, read_memory(inputs, inputs.q)[0], size, length)


@pytest.mark.parametrize("layout", ["causal", "interleaved"])
@pytest.mark.parametrize("tokens", [1, 5, 64, 70])
def test_memory_is_read_as_the_layout_says(layout, tokens):
    q = torch.arange(2.0 * tokens * 3 * 16).view(2, tokens, 3, 16) + 1
    inputs = check_inputs(q, q, q, torch.ones(3), None, None, layout)
    memory, (flat,) = read_memory(inputs, q)
    want = q.transpose(1, 2) if layout == "causal" else read_by_hand(q)
    read = torch.zeros_like(want)
    for b in range(2):
        for h in range(3):
            there = min(memory.tokens, memory.last - h * memory.pitch)
            if there > 0:
                at = b * memory.strides[0] + h * memory.strides[1]
                size = (there, 16)
                steps = (memory.strides[2], 1)
                read[b, h, :there] = flat.as_strided(size, steps, at)
    assert torch.equal(read, want)


def test_causal_memory_is_read_where_it_lies():
    x = torch.randn(2, 3, 10, 3 * 16).split(16, -1)
    inputs = check_inputs(*x, torch.ones(10), None, None, "causal")
    memory, tensors = read_memory(inputs, *x)
    assert [t.data_ptr() for t in tensors] == [t.data_ptr() for t in x]
    assert memory.strides == (3 * 480, 48, 480)
    assert memory.compact().strides == (3 * 160, 16, 160)
    mixed = (x[0], x[1].contiguous())
    assert all(t.is_contiguous() for t in read_memory(inputs, *mixed)[1])
    across = torch.randn(2, 3, 16, 10).transpose(2, 3)
    assert read_memory(inputs, across)[1][0].is_contiguous()


@pytest.mark.parametrize("tokens", [1, 511, 512, 513, 4097, 100_000])
def test_segments_cover_every_chunk_once(tokens):
    cuts = cut_of(tokens)
    assert (cuts.chunks - 1) * 32 < tokens <= cuts.chunks * 32
    assert (cuts.each - 1) * cuts.length < cuts.chunks
    assert cuts.chunks <= cuts.each * cuts.length


def test_a_long_sequence_fills_the_device_and_a_short_one_is_one_segment():
    assert processors(torch.device("cpu")) == 132
    assert cut_of(1_000_000).each == 66
    assert cut_of(100_000).each == 33
    assert cut_of(4096).each == 8
    assert not cut_of(512).is_cut
    assert not cut_of(100_000, heads=600).is_cut


def test_packed_sequences_are_cut_one_by_one():
    cuts = cut_of(100, length=1, marks=[0, 0, 64, 100])
    assert cuts.table.tolist() == [
        [0, 0, 0, 0, 0, 3],
        [1, 0, 64, 0, 1, 2],
        [1, 32, 64, 1, 1, 1],
        [2, 64, 100, 2, 1, 2],
        [2, 96, 100, 3, 1, 1],
    ]
    assert cuts.firsts.tolist() == [0, 1, 3, 5]
    assert cuts.spans.tolist() == [[0, 64], [32, 64], [64, 100], [96, 100]]
    assert cuts.is_varlen
    assert cuts.is_cut
    assert not cut_of(100, marks=[0, 0, 64, 100]).is_cut
