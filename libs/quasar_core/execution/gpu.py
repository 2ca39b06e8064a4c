"""What a sandboxed process must see of a GPU: nodes and the driver's files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from quasar_core.execution.sandbox import Mount, SandboxUnavailable

DRIVER = Path("/opt/driver")
"""Where the driver's libraries lie inside."""

LIBRARIES = (
    "libcuda.so*",
    "libnvidia-ptxjitcompiler.so*",
    "libnvidia-nvvm*.so*",
    "libnvidia-gpucomp.so*",
)
"""The driver proper, its compilers, and nothing of graphics or of NVML."""

FOLDERS = (
    "/usr/local/nvidia/lib64",
    "/usr/local/nvidia/lib",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/local/cuda/compat",
)

COMMON_NODES = ("nvidiactl", "nvidia-uvm")

SYSTEM = (
    "/sys/devices/system/node",
    "/sys/module/nvidia/version",
)
"""What the driver asks the kernel for, where it is there."""


@dataclass(frozen=True)
class GpuView:
    """One device as its sandbox sees it.

    `nodes` are device nodes that are bound writable, `files` the driver's
    libraries, `folder` where they lie inside.
    """

    uuid: str
    nodes: tuple[Path, ...]
    files: tuple[Mount, ...]
    folder: Path = DRIVER

    @property
    def library(self) -> Path:
        """The driver, inside."""
        return self.folder / "libcuda.so.1"

    @property
    def environment(self) -> Mapping[str, str]:
        """How Triton and PyTorch find the driver without ldconfig."""
        return {
            "TRITON_LIBCUDA_PATH": str(self.folder),
            "LD_LIBRARY_PATH": str(self.folder),
            "CUDA_CACHE_DISABLE": "1",
        }


def loaded_folder(maps: Path = Path("/proc/self/maps")) -> str | None:
    """Where this process has its driver from, once it has one."""
    for line in maps.read_text(encoding="utf-8").splitlines():
        path = Path(line.split(maxsplit=5)[-1])
        if path.name.startswith("libcuda.so"):
            return str(path.parent)
    return None


def gpu_view(
    uuid: str,
    minor: int,
    *,
    dev: Path = Path("/dev"),
    folders: Sequence[str] = FOLDERS,
) -> GpuView:
    """The view of the device with this minor number, and of no other.

    Raises SandboxUnavailable where a node or the driver is missing.
    """
    nodes = [dev / f"nvidia{minor}", *(dev / each for each in COMMON_NODES)]
    for node in nodes:
        if not node.exists():
            raise SandboxUnavailable(
                f"{node} is missing: load the NVIDIA driver's modules, as"
                " with `nvidia-modprobe -u -c 0`"
            )
    files = tuple(_driver_files(folders))
    if not any(mount.target.name == "libcuda.so.1" for mount in files):
        raise SandboxUnavailable(
            "libcuda.so.1 was not found in " + ", ".join(folders)
        )
    more = tuple(
        Mount(Path(each), Path(each)) for each in SYSTEM if Path(each).exists()
    )
    return GpuView(uuid, tuple(nodes), (*files, *more))


def host_library(view: GpuView) -> Path:
    """The driver as it lies on this host."""
    for mount in view.files:
        if mount.target == view.library and mount.source is not None:
            return mount.source
    raise SandboxUnavailable("this view of a device holds no driver")


def _driver_files(folders: Sequence[str]) -> list[Mount]:
    """Each library by its names, from the first folder that has a driver."""
    for folder in map(Path, folders):
        if (folder / "libcuda.so.1").exists():
            found = {
                path.name: path.resolve()
                for pattern in LIBRARIES
                for path in folder.glob(pattern)
            }
            return [
                Mount(source, DRIVER / name)
                for name, source in sorted(found.items())
            ]
    return []
