"""What NVML tells of a GPU: which it is, how it is, and who uses it.

NVML speaks to the driver beside CUDA, so nothing that a candidate does to
its own context changes what is read here.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quasar_core.execution.sandbox import SandboxUnavailable

MPS_PIPE = Path("/tmp/nvidia-mps")  # noqa: S108 -- where MPS listens
UNKNOWN = "unknown"


@dataclass(frozen=True)
class GpuState:
    """One look at a GPU that is to be judged on."""

    name: str
    uuid: str
    minor: int
    visible: int
    mig: bool
    mps: bool


def refusals(state: GpuState) -> Iterator[str]:
    """Why nothing can be timed on it, if anything.

    MPS runs two contexts at once, so that a candidate could work while the
    referee reads; a MIG slice shares its memory's bandwidth with others.
    """
    if state.visible != 1:
        yield (
            f"{state.visible} GPUs are visible: set CUDA_VISIBLE_DEVICES to"
            " the uuid of the one that is to be judged on"
        )
    if state.mig:
        yield "MIG is on: turn it off with `nvidia-smi -mig 0`"
    if state.mps:
        yield "MPS runs: stop it with `echo quit | nvidia-cuda-mps-control`"


@dataclass
class Nvml:
    """One GPU by NVML; `library` is the module `pynvml`."""

    library: Any
    index: int = 0
    first: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.library.nvmlInit()
        self._handle = self.library.nvmlDeviceGetHandleByIndex(self.index)

    def state(self, visible: int, mps_pipe: Path = MPS_PIPE) -> GpuState:
        """What must be known before anything runs on it."""
        library, handle = self.library, self._handle
        try:
            current, _ = library.nvmlDeviceGetMigMode(handle)
        except library.NVMLError:
            # Cards without MIG say that they do not know it.
            current = 0
        pipe = Path(os.environ.get("CUDA_MPS_PIPE_DIRECTORY", str(mps_pipe)))
        return GpuState(
            name=_text(library.nvmlDeviceGetName(handle)),
            uuid=_text(library.nvmlDeviceGetUUID(handle)),
            minor=int(library.nvmlDeviceGetMinorNumber(handle)),
            visible=visible,
            mig=bool(current),
            mps=(pipe / "control").exists(),
        )

    def begin(self) -> None:
        """A new run: what it finds."""
        self.first = self.readings()

    def facts(self) -> dict[str, str]:
        """What a manifest tells: at the start, and now."""
        library, handle = self.library, self._handle
        return {
            "gpu_name": _text(library.nvmlDeviceGetName(handle)),
            "gpu_uuid": _text(library.nvmlDeviceGetUUID(handle)),
            "gpu_driver": _text(library.nvmlSystemGetDriverVersion()),
            **{f"gpu_{name}_before": x for name, x in self.first.items()},
            **{f"gpu_{name}_after": x for name, x in self.readings().items()},
        }

    def readings(self) -> dict[str, str]:
        """Clocks in MHz, temperature in C, and what holds the clocks down."""
        library, handle = self.library, self._handle
        asked = {
            "sm_clock_mhz": lambda: library.nvmlDeviceGetClockInfo(
                handle, library.NVML_CLOCK_SM
            ),
            "memory_clock_mhz": lambda: library.nvmlDeviceGetClockInfo(
                handle, library.NVML_CLOCK_MEM
            ),
            "temperature_c": lambda: library.nvmlDeviceGetTemperature(
                handle, library.NVML_TEMPERATURE_GPU
            ),
            "throttle_reasons": lambda: hex(
                library.nvmlDeviceGetCurrentClocksThrottleReasons(handle)
            ),
        }
        return {name: self._told(ask) for name, ask in asked.items()}

    def number(self, ask: Callable[[Any, Any], float]) -> float:
        """What `ask(library, handle)` gives; NaN where NVML refuses."""
        try:
            return float(ask(self.library, self._handle))
        except self.library.NVMLError:
            return math.nan

    def _told(self, ask: Any) -> str:
        try:
            return str(ask())
        except self.library.NVMLError:
            return UNKNOWN


def open_nvml() -> Nvml:
    """The only GPU of this machine.

    Raises SandboxUnavailable without nvidia-ml-py or without a driver.
    """
    try:
        import pynvml
    except ImportError:
        raise SandboxUnavailable(
            "nvidia-ml-py is not installed, and profile `gpu` needs it"
        ) from None
    try:
        return Nvml(pynvml)
    except pynvml.NVMLError as error:
        raise SandboxUnavailable(f"NVML finds no GPU: {error}") from error


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
