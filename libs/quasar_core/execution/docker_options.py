"""What the engine is told of a container: as little as there can be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docker.types import DeviceRequest, Mount, Ulimit

from quasar_core.execution.bubblewrap_arguments import BASE_ENVIRONMENT
from quasar_core.execution.closure import (
    PYTHON,
    closure_mounts,
    python_in_sandbox,
)
from quasar_core.execution.gpu import GpuView
from quasar_core.execution.processors import chosen, quota
from quasar_core.execution.sandbox import Job
from quasar_core.execution.sandbox import Mount as JobMount
from quasar_core.execution.seccomp import filter_program

LABEL = "io.quasar.sandbox"
PREFIX = "quasar-"
NOBODY = "65534:65534"
SCRIPT = Path("/opt/quasar/launcher.py")
SOCKET = Path("/opt/quasar/socket")
LAUNCHER_PIDS = 1
LAUNCHER_FILES = 4096
"""It holds every descriptor of a job twice, above all their numbers."""
GRACE_SECONDS = 30.0
PERIOD_MICROSECONDS = 100_000
EXECUTABLE_TMPFS = "rw,exec,nosuid,nodev,mode=1777,size={}"
EMPTY_TMPFS = "ro,noexec,nosuid,nodev,mode=0555,size=4096"


@dataclass(frozen=True)
class Place:
    """Where a container comes from and whom it belongs to."""

    name: str
    image: str
    socket: Path
    owner: str
    profile: str


def container(job: Job, place: Place, api: Any) -> dict[str, Any]:
    """The arguments of `create_container`."""
    return {
        "image": place.image,
        "name": f"{PREFIX}{place.name}",
        "command": [
            *(python_in_sandbox(), "-I", "-S", str(SCRIPT), str(SOCKET)),
        ],
        "environment": _library_path(job),
        "user": NOBODY,
        "working_dir": "/",
        "hostname": "sandbox",
        "labels": {LABEL: place.owner},
        "host_config": api.create_host_config(**_host(job, place)),
    }


def told(job: Job) -> dict[str, Any]:
    """What the container's first process is told of its job."""
    return {
        "argv": list(job.argv),
        "environment": {**BASE_ENVIRONMENT, **job.environment},
        "directory": str(job.working_directory),
        "numbers": list(job.pass_fds),
        "nofile": job.limits.nofile,
        "seconds": job.limits.wall_seconds + GRACE_SECONDS,
        "filter": filter_program(**job.grants).hex(),
    }


def _host(job: Job, place: Place) -> dict[str, Any]:
    limits = job.limits
    return {
        "network_mode": "none",
        "ipc_mode": "none",
        "cgroupns": "private",
        "cap_drop": ["ALL"],
        "privileged": False,
        "read_only": True,
        "security_opt": [
            "no-new-privileges:true",
            f"seccomp={place.profile}",
        ],
        "log_config": {"type": "none", "config": {}},
        "restart_policy": {"Name": "no"},
        "auto_remove": False,
        "init": False,
        "mem_limit": limits.memory_bytes,
        "memswap_limit": limits.memory_bytes,
        "pids_limit": limits.pids + LAUNCHER_PIDS,
        "cpuset_cpus": ",".join(map(str, chosen(limits.cpus))),
        **_quota(limits.cpus),
        "ulimits": [
            Ulimit(name="core", soft=0, hard=0),
            Ulimit(name="nofile", soft=LAUNCHER_FILES, hard=LAUNCHER_FILES),
        ],
        "tmpfs": {
            "/tmp": EXECUTABLE_TMPFS.format(limits.tmp_bytes),  # noqa: S108
            "/dev/shm": EXECUTABLE_TMPFS.format(  # noqa: S108
                limits.shm_bytes
            ),
            # Anybody could make queues in it, uncounted.
            "/dev/mqueue": EMPTY_TMPFS,
        },
        "mounts": [
            *map(_mount, _mounts(job, place.socket)),
        ],
        "device_requests": _devices(job.gpu),
    }


def _mounts(job: Job, socket: Path) -> tuple[JobMount, ...]:
    """The job's, beside the first process and what it runs on."""
    script = Path(__file__).with_name("docker_launcher.py")
    own = (
        JobMount(script, SCRIPT),
        JobMount(socket, SOCKET),
        *closure_mounts(()),
    )
    return tuple({each.target: each for each in (*own, *job.mounts)}.values())


def _mount(mount: JobMount) -> Mount:
    target = str(mount.target)
    if mount.source is None:
        return Mount(target, None, "tmpfs", read_only=True, tmpfs_mode=0o755)
    return Mount(
        target,
        str(mount.source),
        "bind",
        read_only=True,
        propagation="private",
    )


def _quota(cpus: float) -> dict[str, int]:
    share = quota(cpus, PERIOD_MICROSECONDS)
    if share is None:
        return {}
    return {"cpu_period": PERIOD_MICROSECONDS, "cpu_quota": share}


def _devices(gpu: GpuView | None) -> list[DeviceRequest]:
    if gpu is None:
        return []
    device = f"nvidia.com/gpu={gpu.uuid}"
    return [DeviceRequest(driver="cdi", device_ids=[device])]


def _library_path(job: Job) -> Mapping[str, str]:
    """Of a job's variables the one that its interpreter is loaded by."""
    found = job.environment.get("LD_LIBRARY_PATH", str(PYTHON / "lib"))
    return {"LD_LIBRARY_PATH": found}
