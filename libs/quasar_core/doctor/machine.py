"""The machine: its sandbox, its git, its disk."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator

from quasar_core.doctor.findings import Finding
from quasar_core.execution.backends import choose_sandbox
from quasar_core.execution.sandbox import SandboxUnavailable
from quasar_core.telemetry.disks import standing_folder
from quasar_core.worker.host import installed_versions
from quasar_core.worker.settings import WorkerSettings

OLDEST_GIT = (2, 36)
"""The first whose fetch takes object names from stdin with a filter."""

GIB = 1024**3
LEAST_FREE_BYTES = 2 * GIB
"""For sources, a spool, and a log; below it a worker is soon stuck."""


def check_versions(_settings: WorkerSettings) -> Iterator[Finding]:
    """The interpreter and the distributions that kernels run on."""
    for name, found in installed_versions().items():
        yield Finding(
            name,
            found != "missing",
            found,
            "install the extra quasar-subnet[benchmark-worker]",
        )


def check_sandbox(settings: WorkerSettings) -> Iterator[Finding]:
    """The sandbox, by its own probe, and the limits it can set."""
    try:
        isolation = choose_sandbox(
            settings.sandbox_backend,
            allow_degraded=True,
            image=settings.sandbox_image,
            production=settings.environment == "production",
        ).preflight()
    except SandboxUnavailable as fault:
        yield Finding("sandbox", ok=False, detail="cannot run", fix=str(fault))
        return
    proved = sum(isolation.proved.values())
    yield Finding(
        "sandbox",
        ok=True,
        detail=f"{isolation.backend}: {proved} properties proved inside",
    )
    yield Finding(
        "cgroups",
        ok=not isolation.degraded,
        detail="no limits" if isolation.degraded else "limits hold",
        fix=(
            "run as root, or under `systemd-run --user --scope`, so that"
            " memory and processes can be limited; on a laptop set"
            " QUASAR_ALLOW_DEGRADED=1"
        ),
        needed=not settings.allow_degraded,
    )


def check_git(_settings: WorkerSettings) -> Iterator[Finding]:
    """The git that fetches forks."""
    fix = "install git {}.{} or newer".format(*OLDEST_GIT)
    path = shutil.which("git")
    if path is None:
        yield Finding("git", ok=False, detail="missing", fix=fix)
        return
    said = subprocess.run(  # noqa: S603 -- a path that `which` found
        [path, "--version"], capture_output=True, text=True, check=False
    ).stdout.strip()
    numbers = said.removeprefix("git version ").split(".")[:2]
    new_enough = (
        all(part.isdecimal() for part in numbers)
        and tuple(map(int, numbers)) >= OLDEST_GIT
    )
    yield Finding("git", new_enough, said, fix)


def check_disk(
    settings: WorkerSettings, least_bytes: int = LEAST_FREE_BYTES
) -> Iterator[Finding]:
    """Room where the state lies, or will lie."""
    folder = settings.state_directory.absolute()
    free = shutil.disk_usage(standing_folder(folder)).free
    yield Finding(
        "disk",
        free >= least_bytes,
        f"{free / GIB:.1f} GiB free for {folder}",
        f"make room, at least {least_bytes / GIB:g} GiB, or set"
        " QUASAR_STATE_DIRECTORY to a folder on a larger disk",
    )
