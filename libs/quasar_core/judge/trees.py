"""Trees of one run: where kernels lie, the jobs that mount them, blame."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from quasar_core.errors import TransientError
from quasar_core.execution.gpu import GpuView
from quasar_core.execution.sandbox import Job
from quasar_core.judge.faults import KernelFault
from quasar_core.judge.image import kernel_job
from quasar_core.judge.pinned import assemble
from quasar_core.judge.settings import JudgeSettings

Result = TypeVar("Result")

logger = logging.getLogger(__name__)


def kernel_jobs(
    folder: Path,
    files: Mapping[str, bytes],
    settings: JudgeSettings,
    view: GpuView | None = None,
) -> Callable[[int], Job]:
    """Write a tree with these kernel files; what makes jobs that serve it.

    The job takes the number of the candidate's end of its socket.
    """
    tree = assemble(folder, files)
    limits, threads = settings.sandbox_limits, settings.num_threads
    return lambda descriptor: kernel_job(
        tree, descriptor, limits, threads, view
    )


def unblamed(call: Callable[[], Result]) -> Result:
    """The trusted kernel's fault is the world's, never the submission's."""
    try:
        return call()
    except KernelFault as fault:
        logger.exception(
            "the trusted kernel failed: %s\n%s",
            fault.evidence,
            fault.log_tail,
        )
        raise TransientError(f"the trusted kernel failed: {fault}") from fault
