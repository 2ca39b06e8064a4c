# ruff: noqa: N802 -- the names are NVML's
"""A GPU where there is none: libcuda's stand-in, NVML's, and a ground."""

from __future__ import annotations

import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import torch
from quasar_core.execution.gpu import GpuView
from quasar_core.execution.sandbox import Mount
from quasar_core.judge.driver import Driver
from quasar_core.judge.gpu_ground import GpuGround
from quasar_core.judge.nvml import Nvml

SOURCE = Path(__file__).with_name("standin_cuda.c")


def standin_library(folder: Path) -> Path:
    """Compile the stand-in as `libcuda.so.1` in a folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    library = folder / "libcuda.so.1"
    subprocess.run(
        [
            *("cc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror"),
            *("-o", str(library), str(SOURCE)),
        ],
        check=True,
    )
    for path in (folder, library):
        path.chmod(0o755)
    return library


class NVMLError(Exception):
    """What `pynvml` raises."""


@dataclass
class FakeNvml:
    """The module `pynvml` of a machine with one quiet GPU."""

    NVML_CLOCK_SM = 1
    NVML_CLOCK_MEM = 2
    NVML_TEMPERATURE_GPU = 0
    NVMLError = NVMLError

    mig: int | None = 0
    dumb: bool = False
    celsius: int = 40
    throttle: int = 4

    def nvmlInit(self):
        pass

    def nvmlDeviceGetHandleByIndex(self, index):
        return f"gpu {index}"

    def nvmlDeviceGetMigMode(self, handle):
        if self.mig is None:
            raise NVMLError("not supported")
        return self.mig, self.mig

    def nvmlDeviceGetName(self, handle):
        return "Stand-in"

    def nvmlDeviceGetUUID(self, handle):
        return b"GPU-0"

    def nvmlDeviceGetMinorNumber(self, handle):
        return 0

    def nvmlSystemGetDriverVersion(self):
        return "580.1"

    def nvmlDeviceGetClockInfo(self, handle, kind):
        if self.dumb:
            raise NVMLError("not supported")
        return 1_000 * kind

    def nvmlDeviceGetMemoryInfo(self, handle):
        return SimpleNamespace(total=80_000, used=500, free=79_500)

    def nvmlDeviceGetTemperature(self, handle, kind):
        return self.celsius

    def nvmlDeviceGetCurrentClocksThrottleReasons(self, handle):
        return self.throttle


class ThreadTimeline:
    """What a device's stream is, by a thread: in order, and on its own."""

    def __init__(self) -> None:
        self._work = ThreadPoolExecutor(1)
        self._last = self._work.submit(bool)

    def do(self, action):
        self._last.done() and self._last.result()
        infers = torch.is_inference_mode_enabled()

        def alike():
            with torch.inference_mode(infers):
                return action()

        self._last = self._work.submit(alike)
        return self._last

    def wait_for(self, word, value):
        def until():
            while int(word) < value:
                time.sleep(0.0001)

        self.do(until)

    def mark(self):
        return self.do(time.perf_counter)

    def seconds(self, begun, ended):
        return ended.result() - begun.result()

    def release(self, word, value):
        word.fill_(value)

    def wait(self):
        self._last.result()


def standin_ground(
    folder: Path, inside: Path | None = None, **changes
) -> GpuGround:
    """A ground whose device is the processor.

    Windows, frames and sandboxes are those of a device. `inside` is where a
    sandbox sees the driver: the folder itself for one that holds nothing in.
    """
    library = standin_library(folder)
    inside = inside or folder
    files = (Mount(library, inside / library.name),)
    given = {
        "device": torch.device("cpu"),
        "driver": Driver(library),
        "stream": ThreadTimeline(),
        "gpu": GpuView("GPU-0", (), files, inside),
        "nvml": Nvml(FakeNvml()),
        "cache_bytes": 4_096,
        "examined": False,
    }
    return GpuGround(**{**given, **changes})


def undone(ground: GpuGround) -> int:
    """What the driver still holds for this process."""
    return ground.driver._library.standin_live()
