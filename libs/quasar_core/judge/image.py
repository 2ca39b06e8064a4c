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


def kernel_job(
    tree: Path, descriptor: int, limits: Limits, num_threads: int
) -> Job:
    """A sandbox that serves the kernel in `tree` over a socket."""
    return _job(
        (str(descriptor), str(TREE)),
        (Mount(tree, TREE), *closure_mounts(DISTRIBUTIONS)),
        descriptor,
        limits,
        num_threads,
    )


def empty_job(descriptor: int, limits: Limits) -> Job:
    """A sandbox that answers empty exchanges and holds no kernel."""
    return _job((str(descriptor),), closure_mounts(()), descriptor, limits, 1)


def _job(
    arguments: tuple[str, ...],
    mounts: tuple[Mount, ...],
    descriptor: int,
    limits: Limits,
    num_threads: int,
) -> Job:
    return Job(
        argv=(python_in_sandbox(), "-s", "-P", str(RUNNER), *arguments),
        mounts=(Mount(runner_path(), RUNNER), *mounts),
        environment={**python_environment(), **_environment(num_threads)},
        pass_fds=(descriptor,),
        limits=limits,
    )


def _environment(num_threads: int) -> Mapping[str, str]:
    threads = str(num_threads)
    return {
        "OMP_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
        "TRITON_CACHE_DIR": "/tmp/triton",  # noqa: S108 -- the sandbox's own
        "TORCHINDUCTOR_CACHE_DIR": "/tmp/inductor",  # noqa: S108 -- likewise
    }
