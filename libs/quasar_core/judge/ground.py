"""The ground: on what a run is done, and what that asks of the referee."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from quasar_core.execution.gpu import GpuView
from quasar_core.execution.limits import MIB
from quasar_core.judge.buffers import Buffers, SealedMemory
from quasar_core.judge.exchange import private_memory
from quasar_core.judge.seeds import CPU
from quasar_core.judge.settings import JudgeSettings
from quasar_core.judge.shapes import Extent
from quasar_core.judge.timeline import Timeline


@dataclass(frozen=True)
class Ground:
    """A processor: windows of host memory, and nothing to wait for.

    `judge/gpu_ground.py` overrides what is other on a device.
    """

    device: torch.device = CPU
    long_run_bytes: int = 2 * 1024 * MIB
    """What the inputs and outputs of a run without gaps may take."""

    @property
    def is_examined(self) -> bool:
        """Whether its health is looked at before and after each job."""
        return False

    @property
    def view(self) -> GpuView | None:
        """What a sandbox must see of the device; None where there is none."""
        return None

    @property
    def lock_name(self) -> str | None:
        """Who shares a turn: None for everybody on this machine."""
        return None

    @property
    def timeline(self) -> Timeline | None:
        """What a device's work is queued on, and timed by."""
        return None

    def prepare(self, settings: JudgeSettings) -> None:
        """Set this process up, before anything is drawn or measured."""
        torch.set_num_threads(settings.num_threads)

    def buffers(self, extent: Extent) -> Buffers:
        """The windows of one seat, for calls of up to this extent."""
        del extent
        return SealedMemory()

    def memory(self, size: int) -> torch.Tensor:
        """Private bytes where inputs are drawn and outputs compared."""
        return private_memory(size, self.device)

    def wait(self) -> None:
        """Until everything that this process has asked for is done."""

    def keep_busy(self) -> None:
        """Give a device something to do while more is queued behind it."""

    def pace(self) -> float:
        """Seconds of known work of our own; 0.0 where nobody can slow it."""
        return 0.0

    def taken_bytes(self) -> int:
        """Bytes of the device's memory that others than this process hold.

        Up to a constant; 0 where there is no device.
        """
        return 0

    def facts(self) -> Mapping[str, str]:
        """What a manifest tells of this ground, now."""
        return {}
