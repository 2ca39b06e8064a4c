"""The ground of profile `gpu`: one device, its driver, and its state."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

import torch

from quasar_core.execution.gpu import (
    FOLDERS,
    GpuView,
    gpu_view,
    host_library,
    loaded_folder,
)
from quasar_core.execution.limits import MIB
from quasar_core.execution.sandbox import SandboxUnavailable
from quasar_core.judge.buffers import Buffers
from quasar_core.judge.device_memory import DeviceMemory
from quasar_core.judge.driver import Driver
from quasar_core.judge.ground import Ground
from quasar_core.judge.nvml import Nvml, open_nvml, refusals
from quasar_core.judge.settings import JudgeSettings
from quasar_core.judge.shapes import Extent
from quasar_core.judge.timeline import DeviceTimeline, Timeline

CACHE_BYTES = 256 * MIB
"""Noise between calls: four times the largest L2 that is known."""

BUSY_TIMES = 8
"""So often a device's caches are filled: some two milliseconds."""

PACE_SAMPLES = 9

LONG_RUN_BYTES = 16 * 1024 * MIB
"""Beside two seats' windows and the oracle this fits into 78 GiB."""


@dataclass(frozen=True, kw_only=True)
class GpuGround(Ground):
    """A device. Tests give it a processor and stand-ins for the rest."""

    driver: Driver
    stream: Timeline
    gpu: GpuView
    nvml: Nvml
    cache_bytes: int = CACHE_BYTES
    examined: bool = True
    long_run_bytes: int = LONG_RUN_BYTES

    @property
    def is_examined(self) -> bool:
        """See `Ground.is_examined`."""
        return self.examined

    @property
    def view(self) -> GpuView | None:
        """See `Ground.view`."""
        return self.gpu

    @property
    def timeline(self) -> Timeline:
        """See `Ground.timeline`."""
        return self.stream

    @property
    def lock_name(self) -> str | None:
        """See `Ground.lock_name`."""
        return self.gpu.uuid

    def prepare(self, settings: JudgeSettings) -> None:
        """No rounding that nobody asked for, and a context of our own."""
        super().prepare(settings)
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.set_float32_matmul_precision("highest")
        torch.zeros(1, device=self.device)
        self.wait()
        self.nvml.begin()

    def buffers(self, extent: Extent) -> Buffers:
        """See `Ground.buffers`."""
        return DeviceMemory(
            self.driver,
            extent,
            device=self.device,
            timeline=self.stream,
            cache_bytes=self.cache_bytes,
        )

    def wait(self) -> None:
        """See `Ground.wait`."""
        self.stream.wait()

    def keep_busy(self) -> None:
        """See `Ground.keep_busy`; launching a layer does not take as long."""
        noise = torch.empty(
            self.cache_bytes, dtype=torch.uint8, device=self.device
        )
        for _ in range(BUSY_TIMES):
            self.stream.do(lambda: noise.random_(0, 256))

    def pace(self) -> float:
        """See `Ground.pace`: the median time to fill the caches, each alone.

        By this process's clock: the device's own does not see how long work
        waited for another process's turn to end.
        """
        if not self.examined:
            return 0.0
        noise = torch.empty(
            self.cache_bytes, dtype=torch.uint8, device=self.device
        )
        return median(self._fill(noise) for _ in range(PACE_SAMPLES))

    def _fill(self, noise: torch.Tensor) -> float:
        self.wait()
        started = time.perf_counter()
        self.stream.do(lambda: noise.random_(0, 256))
        self.wait()
        return time.perf_counter() - started

    def taken_bytes(self) -> int:
        """See `Ground.taken_bytes`."""
        own = self.driver.window_bytes
        if self.device.type == "cuda":
            own += torch.cuda.memory_reserved(self.device)
        return self.driver.used_bytes() - own

    def facts(self) -> Mapping[str, str]:
        """See `Ground.facts`."""
        return self.nvml.facts()


def find_gpu() -> GpuGround:
    """The one GPU of this process, fit to be judged on.

    Raises SandboxUnavailable with a sentence that says what to mend.
    """
    if not torch.cuda.is_available():
        raise SandboxUnavailable(
            "PyTorch sees no GPU here: profile `gpu` needs one"
        )
    nvml = open_nvml()
    state = nvml.state(visible=torch.cuda.device_count())
    for reason in refusals(state):
        raise SandboxUnavailable(f"{state.name}: {reason}")
    # PyTorch makes the context that the driver's calls are meant for.
    torch.zeros(1, device="cuda")
    loaded = loaded_folder()
    folders = (loaded, *FOLDERS) if loaded else FOLDERS
    view = gpu_view(state.uuid, state.minor, folders=folders)
    device, driver = torch.device("cuda", 0), Driver(host_library(view))
    return GpuGround(
        device=device,
        driver=driver,
        stream=DeviceTimeline(driver, device),
        gpu=view,
        nvml=nvml,
    )
