"""Windows of device memory: allocations of the driver, mapped by both ends.

Mapping takes too long to be done in a timed call, so the Xs are mapped
beforehand and rotate; a call's X lies in private memory until its clock
runs, and is copied into its window then. The copy is in K.

Two words stand at the very ends of the first windows. In the first X, which
only the referee may write: the gate, the number of the latest call that was
shown, for which the candidate's kernels wait. In the first Y: the number of
the latest call that the candidate's device has done, for which the read waits.
Whoever writes that too early is read too early.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import ExitStack

import torch

from quasar_core.judge.buffers import (
    BLOCK_BYTES,
    SLOTS,
    InputWindow,
    Order,
    OutputWindow,
    reading_order,
)
from quasar_core.judge.driver import Driver, Window
from quasar_core.judge.shapes import CallShape, Extent
from quasar_core.judge.timeline import Timeline

WORD_BYTES = 4


class DeviceMemory:
    """One seat's windows on a device.

    All that is done with them is queued on `timeline`. A call that stands
    alone finds `cache_bytes` of noise in the device's caches.
    """

    def __init__(
        self,
        driver: Driver,
        extent: Extent,
        *,
        device: torch.device,
        timeline: Timeline,
        cache_bytes: int,
    ) -> None:
        self._driver = driver
        self._device = device
        self.timeline = timeline
        self._noise = torch.empty(
            cache_bytes, dtype=torch.uint8, device=device
        )
        self._inputs: list[Window] = []
        with ExitStack() as undo:
            for _ in range(SLOTS):
                window = Window(driver, extent.input_bytes + WORD_BYTES)
                undo.callback(window.close)
                self._inputs.append(window)
            undo.pop_all()
        self._gate = _word(self._inputs[0])
        self._done: torch.Tensor | None = None
        # Every window of a seat is as large as the largest call's.
        self._sizes = (
            driver.rounded(extent.output_bytes + WORD_BYTES),
            self._inputs[0].size,
        )

    @property
    def standing(self) -> tuple[int, ...]:
        """See `Buffers.standing`."""
        return tuple(window.descriptor for window in self._inputs)

    @property
    def sizes(self) -> tuple[int, int] | None:
        """See `Buffers.sizes`."""
        return self._sizes

    def input(
        self, shape: CallShape, sections: Sequence[torch.Tensor]
    ) -> InputWindow:
        """A private X, not yet shown."""
        private = torch.empty(
            shape.input_bytes, dtype=torch.uint8, device=self._device
        )
        places = shape.input_sections
        for (offset, size), tensor in zip(places, sections, strict=True):
            raw = tensor.contiguous().view(-1).view(torch.uint8)
            private[offset : offset + size].copy_(raw)
        self.timeline.wait()
        return _Hidden(self, private)

    def output(self, size: int) -> OutputWindow:
        """A Y that both ends may write."""
        window = Window(self._driver, size + WORD_BYTES)
        if self._done is None:
            self._done = _word(window)
        return _DeviceOutput(window, self.timeline)

    def order(self, size: int, chance: random.Random) -> Order:
        """The blocks of `size` bytes in a secret order, on the device."""
        return torch.tensor(reading_order(size, chance), device=self._device)

    def sort(self, into: torch.Tensor, size: int, order: Order) -> None:
        """Put the blocks that were read in this order where they belong."""
        del size
        index = torch.as_tensor(order)
        blocks = _blocks(into, index.numel())
        self.timeline.wait()
        blocks.copy_(blocks.index_select(0, index.argsort()))
        self.timeline.wait()

    def clear_caches(self) -> None:
        """Fill the device's caches with noise."""
        self.timeline.do(lambda: self._noise.random_(0, 256))

    def show(self, private: torch.Tensor, slot: int, turn: int) -> None:
        """Copy an X into the window of a slot, open the gate, and wait."""
        if self._done is None:
            raise ValueError("there is no output yet")
        window = self._inputs[slot].bytes[: private.numel()]
        self.timeline.do(lambda: window.copy_(private))
        self.timeline.do(lambda: self._gate.fill_(turn))
        self.timeline.wait_for(self._done, turn)

    def release(self, turn: int) -> None:
        """See `Buffers.release`."""
        if self._done is not None:
            self.timeline.release(self._done, turn)

    def close(self) -> None:
        """Unmap the Xs; idempotent."""
        for window in self._inputs:
            window.close()


class _Hidden:
    """An X in private memory until its call's clock runs."""

    def __init__(self, memory: DeviceMemory, private: torch.Tensor) -> None:
        self._private: torch.Tensor | None = private
        self._memory = memory

    @property
    def travels(self) -> tuple[int, ...]:
        """Nothing travels: its window is mapped already."""
        return ()

    def show(self, slot: int, turn: int) -> None:
        """See `DeviceMemory.show`."""
        if self._private is None:
            raise ValueError("this input is closed")
        self._memory.show(self._private, slot, turn)

    def close(self) -> None:
        """Forget it; what was shown is overwritten by a later call."""
        self._private = None


class _DeviceOutput:
    def __init__(self, window: Window, timeline: Timeline) -> None:
        self._window = window
        self._timeline = timeline

    @property
    def descriptor(self) -> int:
        return self._window.descriptor

    def poison(self, size: int) -> None:
        poisoned = self._window.bytes[:size].view(torch.int32)
        self._timeline.do(lambda: poisoned.fill_(-1))
        self._timeline.wait()

    def read(self, into: torch.Tensor, size: int, order: Order) -> None:
        """One gather: block i of `into` is block `order[i]` of the Y."""
        del size
        index = torch.as_tensor(order)
        source = _blocks(self._window.bytes, index.numel())
        target = _blocks(into, index.numel())
        self._timeline.do(
            lambda: torch.index_select(source, 0, index, out=target)
        )

    def close(self) -> None:
        self._window.close()


def _word(window: Window) -> torch.Tensor:
    """The last word of a window, of which no call is the number yet."""
    return window.bytes[-WORD_BYTES:].view(torch.int32).zero_()


def _blocks(memory: torch.Tensor, count: int) -> torch.Tensor:
    """The first `count` blocks, as rows of words."""
    words = memory[: count * BLOCK_BYTES].view(torch.int64)
    return words.view(count, -1)
