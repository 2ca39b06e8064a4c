"""Windows of device memory: allocations of the driver, mapped by both ends.

Mapping takes too long to be done in a timed call, so the Xs are mapped
beforehand and rotate; a call's X lies in private memory until its clock
runs, and is copied into its window then. The copy is in K.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
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


class DeviceMemory:
    """One seat's windows on a device.

    `wait` returns when all that was asked of the device is done. Each call
    that stands alone finds `cache_bytes` of noise in the device's caches.
    """

    def __init__(
        self,
        driver: Driver,
        extent: Extent,
        *,
        device: torch.device,
        wait: Callable[[], None],
        cache_bytes: int,
    ) -> None:
        self._driver = driver
        self._device = device
        self._wait = wait
        self._noise = torch.empty(
            cache_bytes, dtype=torch.uint8, device=device
        )
        self._inputs: list[Window] = []
        with ExitStack() as undo:
            for _ in range(SLOTS):
                window = Window(driver, extent.input_bytes)
                undo.callback(window.close)
                self._inputs.append(window)
            undo.pop_all()
        # Every window of a seat is as large as the largest call's.
        self._sizes = (
            driver.rounded(extent.output_bytes),
            driver.rounded(extent.input_bytes),
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
        self._wait()
        return _Hidden(private, self._inputs, self._wait)

    def output(self, size: int) -> OutputWindow:
        """A Y that both ends may write."""
        return _DeviceOutput(self._driver, size, self._wait)

    def order(self, size: int, chance: random.Random) -> Order:
        """The blocks of `size` bytes in a secret order, on the device."""
        return torch.tensor(reading_order(size, chance), device=self._device)

    def sort(self, into: torch.Tensor, size: int, order: Order) -> None:
        """Put the blocks that were read in this order where they belong."""
        del size
        index = torch.as_tensor(order)
        blocks = _blocks(into, index.numel())
        blocks.copy_(blocks.index_select(0, index.argsort()))
        self._wait()

    def clear_caches(self) -> None:
        """Fill the device's caches with noise."""
        self._noise.random_(0, 256)
        self._wait()

    def close(self) -> None:
        """Unmap the Xs; idempotent."""
        for window in self._inputs:
            window.close()


class _Hidden:
    """An X in private memory until its call's clock runs."""

    def __init__(
        self,
        private: torch.Tensor,
        windows: Sequence[Window],
        wait: Callable[[], None],
    ) -> None:
        self._private: torch.Tensor | None = private
        self._windows = windows
        self._wait = wait

    @property
    def travels(self) -> tuple[int, ...]:
        """Nothing travels: its window is mapped already."""
        return ()

    def show(self, slot: int) -> None:
        """Copy it into the window of this slot, to the end."""
        if self._private is None:
            raise ValueError("this input is closed")
        window = self._windows[slot].bytes
        window[: self._private.numel()].copy_(self._private)
        self._wait()

    def close(self) -> None:
        """Forget it; what was shown is overwritten by a later call."""
        self._private = None


class _DeviceOutput:
    def __init__(
        self, driver: Driver, size: int, wait: Callable[[], None]
    ) -> None:
        self._window = Window(driver, size)
        self._wait = wait

    @property
    def descriptor(self) -> int:
        return self._window.descriptor

    def poison(self, size: int) -> None:
        self._window.bytes[:size].view(torch.int32).fill_(-1)
        self._wait()

    def read(self, into: torch.Tensor, size: int, order: Order) -> None:
        """One gather: block i of `into` is block `order[i]` of the Y."""
        del size
        index = torch.as_tensor(order)
        source = _blocks(self._window.bytes, index.numel())
        target = _blocks(into, index.numel())
        torch.index_select(source, 0, index, out=target)
        self._wait()

    def close(self) -> None:
        self._window.close()


def _blocks(memory: torch.Tensor, count: int) -> torch.Tensor:
    """The first `count` blocks, as rows of words."""
    words = memory[: count * BLOCK_BYTES].view(torch.int64)
    return words.view(count, -1)
