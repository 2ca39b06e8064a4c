import fcntl
import mmap
import os
import random

import pytest
import torch
from quasar_core.judge.buffers import (
    BLOCK_BYTES,
    SealedMemory,
    reading_order,
)
from quasar_core.judge.shapes import CallShape

SHAPE = CallShape(64, heads=1, head_dim=16)


@pytest.fixture
def x():
    tensors = [torch.full((1, 1, 64, 16), float(n)) for n in (1, 2, 3)]
    window = SealedMemory().input(SHAPE, [*tensors, torch.tensor([4.0])])
    yield window
    window.close()


@pytest.fixture
def y():
    window = SealedMemory().output(3 * BLOCK_BYTES)
    yield window
    window.close()


def test_x_holds_what_it_was_born_with(x):
    raw = os.pread(x.descriptor, SHAPE.input_bytes, 0)
    values = torch.frombuffer(bytearray(raw), dtype=torch.float32)
    found = [float(values[offset // 4]) for offset, _ in SHAPE.input_sections]
    assert found == [1, 2, 3, 4]


def test_x_can_be_mapped_to_read_and_never_to_write(x):
    size = SHAPE.input_bytes
    with pytest.raises(PermissionError):
        mmap.mmap(x.descriptor, size)
    with pytest.raises(PermissionError):
        os.pwrite(x.descriptor, b"?", 0)
    again = os.open(f"/proc/self/fd/{x.descriptor}", os.O_RDWR)
    with pytest.raises(PermissionError):
        mmap.mmap(again, size)
    os.close(again)
    with mmap.mmap(x.descriptor, size, access=mmap.ACCESS_READ) as window:
        assert window[:4] == b"\x00\x00\x80?"


def test_what_is_written_to_a_private_map_of_x_stays_there(x):
    before = os.pread(x.descriptor, 8, 0)
    with mmap.mmap(
        x.descriptor, SHAPE.input_bytes, access=mmap.ACCESS_COPY
    ) as own:
        own[:8] = b"tampered"
    assert os.pread(x.descriptor, 8, 0) == before


@pytest.mark.parametrize(
    ("which", "size"), [("x", 10_000_000), ("y", 10_000_000), ("y", 0)]
)
def test_no_window_can_grow_and_what_the_referee_maps_cannot_shrink(
    which, size, request
):
    window = request.getfixturevalue(which)
    with pytest.raises(PermissionError):
        os.ftruncate(window.descriptor, size)
    with pytest.raises(PermissionError):
        fcntl.fcntl(window.descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE)


def test_a_kernel_that_keeps_its_input_keeps_none_of_its_pages():
    shape = CallShape(64, heads=2, head_dim=16)
    sections = [
        torch.ones(size, dtype=torch.uint8) for _, size in shape.input_sections
    ]
    window = SealedMemory().input(shape, sections)
    kept = os.dup(window.descriptor)
    held = mmap.mmap(kept, shape.input_bytes, access=mmap.ACCESS_READ)
    assert os.fstat(kept).st_blocks > 0
    window.close()
    assert os.fstat(kept).st_blocks == 0
    held.close()
    os.close(kept)


def test_y_is_poisoned_with_nan_and_read_whole_in_any_order(y):
    size = 2 * BLOCK_BYTES + 64
    with mmap.mmap(y.descriptor, 3 * BLOCK_BYTES) as other:
        other[:] = bytes(len(other))
        y.poison(size)
        other[BLOCK_BYTES : BLOCK_BYTES + 4] = b"\x00\x00\x80?"
        private = torch.zeros(size, dtype=torch.uint8)
        y.read(private, size, reading_order(size, random.Random(1)))
        other[:] = bytes(len(other))
    values = private.view(torch.float32)
    assert float(values[BLOCK_BYTES // 4]) == 1
    assert int(torch.isnan(values).sum()) == size // 4 - 1


def test_the_reading_order_visits_every_block_once():
    size = 10 * BLOCK_BYTES + 1
    orders = [reading_order(size, random.Random(seed)) for seed in (1, 2)]
    assert sorted(orders[0]) == list(range(11))
    assert orders[0] != orders[1]


def test_a_closed_window_is_gone_and_may_be_closed_again(x, y):
    x.close()
    y.close()
    with pytest.raises(ValueError, match="closed"):
        _ = x.descriptor
    with pytest.raises(ValueError, match="closed"):
        y.poison(64)
    x.close()
    y.close()
