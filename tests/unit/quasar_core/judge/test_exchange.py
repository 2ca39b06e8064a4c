import random

import pytest
import torch
from quasar_core.judge.buffers import SealedMemory
from quasar_core.judge.exchange import (
    PreparedCall,
    outputs_in,
    private_memory,
)
from quasar_core.judge.shapes import CallShape


def test_outputs_are_written_token_by_token_and_read_head_first():
    shape = CallShape(64, heads=2, head_dim=16, final_state=True)
    private = private_memory(shape.output_bytes)
    tokens_first = private[: 64 * 2 * 16 * 4].view(torch.float32)
    tokens_first.view(64, 2, 16)[5, 1] = 7
    private[shape.output_sections[1][0] :].view(torch.float32)[:] = 3
    output, state = outputs_in(shape, private)
    assert output.shape == (1, 2, 64, 16)
    assert bool((output[0, 1, 5] == 7).all())
    assert float(output.sum()) == 7 * 16
    assert state.shape == (1, 2, 16, 16)
    assert bool((state == 3).all())


def test_no_state_comes_where_none_was_asked_for():
    shape = CallShape(64, heads=1, head_dim=16)
    assert outputs_in(shape, private_memory(shape.output_bytes))[1] is None


def test_a_prepared_input_is_closed_with_its_block():
    shape = CallShape(64, heads=1, head_dim=16)
    sections = [torch.ones(1, 1, 64, 16)] * 3 + [torch.ones(1)]
    into, chance = private_memory(shape.output_bytes), random.Random(1)
    with PreparedCall(
        SealedMemory(), shape, sections, into, chance
    ) as prepared:
        assert prepared.window.descriptor > 2
    with pytest.raises(ValueError, match="closed"):
        _ = prepared.window.travels
