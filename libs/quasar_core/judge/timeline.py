"""The timeline of a device: what the referee queues there, and its clock.

Kernels, copies and waits that are queued run one after another without a
processor in between, and the device itself notes when. So what a processor
does late, the referee's or the candidate's, is not in a sample.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import torch

from quasar_core.judge.driver import Driver


class Timeline(Protocol):
    """A queue of work on a device, in order."""

    def do(self, action: Callable[[], object]) -> None:
        """Queue what `action` launches."""
        ...

    def wait_for(self, word: torch.Tensor, value: int) -> None:
        """Queue a wait until a word (int32) is at least `value`."""
        ...

    def mark(self) -> Any:
        """Queue a mark, which notes the device's time."""
        ...

    def seconds(self, begun: Any, ended: Any) -> float:
        """What passed between two marks; waits for the second one."""
        ...

    def release(self, word: torch.Tensor, value: int) -> None:
        """End a wait from outside the queue, by writing what it waits for."""
        ...

    def wait(self) -> None:
        """Return when all that was queued is done."""
        ...


class DeviceTimeline:
    """The current stream of a CUDA device, and a second one to release it."""

    def __init__(self, driver: Driver, device: torch.device) -> None:
        self._driver = driver
        self._device = device
        self._aside = torch.cuda.Stream(device)

    def do(self, action: Callable[[], object]) -> None:
        """See `Timeline.do`; PyTorch queues what it launches."""
        action()

    def wait_for(self, word: torch.Tensor, value: int) -> None:
        """See `Timeline.wait_for`."""
        stream = torch.cuda.current_stream(self._device).cuda_stream
        self._driver.wait_for(stream, word.data_ptr(), value)

    def mark(self) -> torch.cuda.Event:
        """See `Timeline.mark`."""
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def seconds(
        self, begun: torch.cuda.Event, ended: torch.cuda.Event
    ) -> float:
        """See `Timeline.seconds`."""
        ended.synchronize()
        return begun.elapsed_time(ended) / 1_000

    def release(self, word: torch.Tensor, value: int) -> None:
        """See `Timeline.release`."""
        with torch.cuda.stream(self._aside):
            word.fill_(value)
        # A later call's number must not be overwritten by an earlier one's.
        self._aside.synchronize()

    def wait(self) -> None:
        """See `Timeline.wait`."""
        torch.cuda.synchronize(self._device)
