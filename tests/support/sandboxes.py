"""Real sandboxes for tests: the back end, and short ways to run in it."""

import textwrap
from pathlib import Path

from quasar_core.execution.bubblewrap import BubblewrapSandbox
from quasar_core.execution.closure import (
    closure_mounts,
    python_environment,
    python_in_sandbox,
)
from quasar_core.execution.limits import MIB, Limits
from quasar_core.execution.sandbox import Job, Mount

SMALL = Limits(
    wall_seconds=20,
    cpus=2,
    memory_bytes=256 * MIB,
    pids=32,
    tmp_bytes=8 * MIB,
    shm_bytes=4 * MIB,
)


def sandbox_in(directory: Path, backend: str = "bubblewrap", **settings):
    """A sandbox whose leases are the test's own."""
    make = BubblewrapSandbox
    if backend == "docker":
        from quasar_core.execution.docker import DockerSandbox

        make = DockerSandbox
    return make(lease_directory=directory / "leases", **settings)


def python_job(
    program: str,
    *arguments: str,
    limits: Limits = SMALL,
    distributions: tuple[str, ...] = (),
    mounts: tuple[Mount, ...] = (),
    environment: dict[str, str] | None = None,
    **more,
) -> Job:
    """A job that runs a program text under the environment's Python."""
    return Job(
        argv=(
            *(python_in_sandbox(), "-s", "-P", "-c"),
            *(textwrap.dedent(program), *arguments),
        ),
        mounts=(*closure_mounts(distributions), *mounts),
        environment={**python_environment(), **(environment or {})},
        limits=limits,
        **more,
    )


def shell_job(program: str, *, limits: Limits = SMALL, **more) -> Job:
    """A job that runs a shell program."""
    return Job(argv=("/bin/sh", "-c", program), limits=limits, **more)


def open_descriptors() -> int:
    """How many descriptors this process holds."""
    return len(list(Path("/proc/self/fd").iterdir()))


def processes_with(word: str) -> list[int]:
    """Host processes that have `word` in their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes()
                state = (entry / "stat").read_text().rpartition(")")[2]
            except OSError:
                continue
            if word.encode() in line and state.split()[0] not in "ZX":
                found.append(int(entry.name))
    return found


def remains_of(sandbox, name: str) -> list[object]:
    """What is there outside of the sandbox with that lease."""
    if sandbox.name != "docker":
        return cgroups_named(name)
    api = sandbox._client()
    try:
        return api.containers(all=True, filters={"name": f"quasar-{name}"})
    finally:
        api.close()


def cgroups_named(name: str) -> list[Path]:
    """The control groups of the sandbox with that lease."""
    return [
        Path(folder)
        for folder in Path("/sys/fs/cgroup").glob(f"**/quasar-{name}")
    ]
