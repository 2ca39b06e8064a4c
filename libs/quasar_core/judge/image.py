"""What a sandboxed kernel finds around it: interpreter, runner and tree."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from quasar_core.execution.closure import (
    JUDGED,
    closure_mounts,
    python_environment,
    python_in_sandbox,
)
from quasar_core.execution.gpu import GpuView
from quasar_core.execution.limits import Limits
from quasar_core.execution.sandbox import Job, Mount

RUNNER = Path("/opt/judge/runner.py")
TREE = Path("/opt/tree")
DISTRIBUTIONS = (*JUDGED, "packaging")
"""What kernels may import, and what fla.utils needs of its own."""


def runner_path() -> Path:
    """The runner as it lies on this host."""
    folder = resources.files("quasar_core.judge").joinpath("candidate")
    return Path(str(folder.joinpath("runner.py")))


def runner_files() -> tuple[Path, ...]:
    """The runner, and what it loads from beside itself on a device."""
    return tuple(sorted(runner_path().parent.glob("*.py")))


def kernel_job(
    tree: Path,
    descriptor: int,
    limits: Limits,
    num_threads: int,
    view: GpuView | None = None,
) -> Job:
    """A sandbox that serves the kernel in `tree` over a socket."""
    return _job(
        (str(descriptor), str(TREE)),
        (Mount(tree, TREE), *closure_mounts(DISTRIBUTIONS)),
        descriptor,
        limits,
        num_threads,
        view,
    )


def empty_job(
    descriptor: int, limits: Limits, view: GpuView | None = None
) -> Job:
    """A sandbox that answers empty exchanges and holds no kernel."""
    mounts = closure_mounts(())
    return _job((str(descriptor),), mounts, descriptor, limits, 1, view)


def _job(
    arguments: tuple[str, ...],
    mounts: tuple[Mount, ...],
    descriptor: int,
    limits: Limits,
    num_threads: int,
    view: GpuView | None,
) -> Job:
    runner = (
        Mount(path, RUNNER.parent / path.name) for path in runner_files()
    )
    return Job(
        argv=(python_in_sandbox(), "-s", "-P", str(RUNNER), *arguments),
        mounts=(*runner, *mounts, *(view.files if view else ())),
        environment={
            **python_environment(),
            **_environment(num_threads),
            **_device_environment(view),
        },
        pass_fds=(descriptor,),
        gpu=view,
        limits=limits,
    )


def _device_environment(view: GpuView | None) -> Mapping[str, str]:
    if view is None:
        return {}
    found = dict(view.environment)
    interpreter = python_environment().get("LD_LIBRARY_PATH")
    if interpreter:
        found["LD_LIBRARY_PATH"] = f"{found['LD_LIBRARY_PATH']}:{interpreter}"
    return found


def _environment(num_threads: int) -> Mapping[str, str]:
    threads = str(num_threads)
    return {
        "OMP_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
        "TRITON_CACHE_DIR": "/tmp/triton",  # noqa: S108 -- the sandbox's own
        "TORCHINDUCTOR_CACHE_DIR": "/tmp/inductor",  # noqa: S108 -- likewise
    }
