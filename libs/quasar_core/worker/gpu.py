"""A worker's GPU on its metrics page, asked by NVML anew at each scrape."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from threading import Lock
from typing import Any

from quasar_core.execution.sandbox import SandboxUnavailable
from quasar_core.judge.nvml import Nvml, open_nvml
from quasar_core.telemetry.metrics import (
    GPU_MEMORY_CLOCK_HERTZ,
    GPU_MEMORY_SIZE_BYTES,
    GPU_MEMORY_USED_BYTES,
    GPU_SM_CLOCK_HERTZ,
    GPU_TEMPERATURE_CELSIUS,
    GPU_THROTTLED,
)

MEGAHERTZ = 1e6

THROTTLES = {
    "applications_clocks_setting": 0x2,
    "sw_power_cap": 0x4,
    "hw_slowdown": 0x8,
    "sync_boost": 0x10,
    "sw_thermal_slowdown": 0x20,
    "hw_thermal_slowdown": 0x40,
    "hw_power_brake_slowdown": 0x80,
    "display_clock_setting": 0x100,
}
"""What holds clocks down, as NVML numbers and `nvidia-smi` names it.

An idle GPU slows down too (0x1): that is none of them.
"""

Question = Callable[[Any, Any], float]
"""A number, of NVML's library and its handle of a GPU."""


class Card:
    """The only GPU of a machine, opened at the first question."""

    def __init__(self, open_card: Callable[[], Nvml] = open_nvml) -> None:
        self._open = open_card
        self._nvml: Nvml | None = None
        self._lock = Lock()

    def ask(self, question: Question) -> float:
        """The answer; NaN without a card, or where it does not say.

        So a scrape shows all else, and a card that comes back is shown.
        """
        with self._lock:
            try:
                self._nvml = self._nvml or self._open()
            except SandboxUnavailable:
                return math.nan
            return self._nvml.number(question)


def watch_gpu(worker: str, open_card: Callable[[], Nvml] = open_nvml) -> None:
    """Show the GPU that this worker judges on, as it is at each scrape."""
    card = Card(open_card)
    for gauge, question in (
        (GPU_MEMORY_USED_BYTES, _memory_used),
        (GPU_MEMORY_SIZE_BYTES, _memory_size),
        (GPU_SM_CLOCK_HERTZ, _sm_clock),
        (GPU_MEMORY_CLOCK_HERTZ, _memory_clock),
        (GPU_TEMPERATURE_CELSIUS, _temperature),
    ):
        gauge.labels(worker).set_function(partial(card.ask, question))
    for reason, bit in THROTTLES.items():
        GPU_THROTTLED.labels(worker, reason).set_function(
            partial(card.ask, partial(_throttled, bit))
        )


def _memory_used(library: Any, handle: Any) -> float:
    return library.nvmlDeviceGetMemoryInfo(handle).used


def _memory_size(library: Any, handle: Any) -> float:
    return library.nvmlDeviceGetMemoryInfo(handle).total


def _sm_clock(library: Any, handle: Any) -> float:
    clock = library.nvmlDeviceGetClockInfo(handle, library.NVML_CLOCK_SM)
    return clock * MEGAHERTZ


def _memory_clock(library: Any, handle: Any) -> float:
    clock = library.nvmlDeviceGetClockInfo(handle, library.NVML_CLOCK_MEM)
    return clock * MEGAHERTZ


def _temperature(library: Any, handle: Any) -> float:
    return library.nvmlDeviceGetTemperature(
        handle, library.NVML_TEMPERATURE_GPU
    )


def _throttled(bit: int, library: Any, handle: Any) -> float:
    reasons = library.nvmlDeviceGetCurrentClocksThrottleReasons(handle)
    return float(bool(reasons & bit))
