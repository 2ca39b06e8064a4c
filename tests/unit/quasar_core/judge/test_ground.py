import torch
from quasar_core.judge.buffers import BLOCK_BYTES, SealedMemory
from quasar_core.judge.ground import Ground
from quasar_core.judge.settings import JudgeSettings
from quasar_core.judge.shapes import CallShape, Extent


def test_a_processor_has_sealed_windows_and_nothing_to_wait_for():
    ground = Ground()
    ground.prepare(JudgeSettings(num_threads=1))
    assert torch.get_num_threads() == 1
    buffers = ground.buffers(Extent.of(CallShape(64)))
    assert isinstance(buffers, SealedMemory)
    assert (buffers.standing, buffers.sizes) == ((), None)
    assert (ground.view, ground.lock_name) == (None, None)
    ground.wait()
    assert (ground.pace(), ground.taken_bytes()) == (0.0, 0)
    assert ground.facts() == {}


def test_private_memory_is_whole_blocks():
    assert Ground().memory(BLOCK_BYTES + 1).numel() == 2 * BLOCK_BYTES
