import random

import pytest
import torch
from quasar_core.judge.buffers import BLOCK_BYTES
from quasar_core.judge.driver import DriverError
from quasar_core.judge.exchange import private_memory
from quasar_core.judge.shapes import CallShape, Extent

from tests.support.sandboxes import open_descriptors
from tests.support.standin_gpu import standin_ground, undone

SHAPE = CallShape(64, heads=1, head_dim=16)
EXTENT = Extent(SHAPE.input_bytes, 5 * BLOCK_BYTES)


@pytest.fixture(scope="module")
def ground(tmp_path_factory):
    return standin_ground(tmp_path_factory.mktemp("driver"))


@pytest.fixture
def memory(ground):
    descriptors = open_descriptors()
    memory = ground.buffers(EXTENT)
    yield memory
    memory.close()
    memory.close()
    assert undone(ground) == 0
    assert open_descriptors() == descriptors


def test_an_input_is_seen_by_nobody_before_its_clock_runs(memory):
    tensors = [torch.full((1, 1, 64, 16), float(n)) for n in (1, 2, 3)]
    window = memory.input(SHAPE, [*tensors, torch.tensor([4.0])])
    assert window.travels == ()
    shown = [one.bytes.view(torch.float32) for one in memory._inputs]
    assert not any(bool(one.any()) for one in shown)
    with pytest.raises(ValueError, match="no output"):
        window.show(1, 1)
    output = memory.output(EXTENT.output_bytes)
    window.show(1, 1)
    memory.release(1)
    memory.timeline.wait()
    values = [float(shown[1][at // 4]) for at, _ in SHAPE.input_sections]
    assert values == [1, 2, 3, 4]
    assert not bool(shown[0][:-1].any())
    assert (memory._gate.tolist(), memory._done.tolist()) == ([1], [1])
    output.close()
    window.close()
    with pytest.raises(ValueError, match="closed"):
        window.show(0, 2)


def test_an_output_is_read_in_a_secret_order_and_put_in_place(memory):
    size = 4 * BLOCK_BYTES + 64
    output = memory.output(EXTENT.output_bytes)
    output._window.bytes.fill_(1)
    output.poison(size)
    shared = output._window.bytes[: 5 * BLOCK_BYTES].view(torch.float32)
    assert bool(shared[: size // 4].isnan().all())
    assert not bool(shared[size // 4 :].isnan().any())
    blocks = shared.view(5, -1)
    blocks[:] = torch.arange(5.0)[:, None]
    into = private_memory(size)
    order = memory.order(size, random.Random(3))
    assert order.tolist() != [0, 1, 2, 3, 4]
    output.read(into, size, order)
    memory.timeline.wait()
    read = into.view(torch.float32).view(5, -1)[:, 0].long()
    assert read.tolist() == order.tolist()
    blocks.zero_()
    memory.sort(into, size, order)
    values = into.view(torch.float32).view(5, -1)[:, 0]
    assert values.tolist() == [0, 1, 2, 3, 4]
    output.close()
    output.close()


def test_a_seat_is_told_its_windows_and_their_sizes(memory):
    assert len(memory.standing) == 2
    assert memory.sizes == (2 << 20, 2 << 20)


def test_caches_are_filled_with_noise(memory):
    memory._noise.zero_()
    memory.clear_caches()
    memory.timeline.wait()
    assert bool(memory._noise.any())


def test_windows_that_cannot_all_be_had_are_given_back(ground):
    with pytest.raises(DriverError, match="memory"):
        ground.buffers(Extent(1 << 50, 64))
    assert undone(ground) == 0
