"""Jobs that no sandbox could run, found before anything is started."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from quasar_core.execution.sandbox import Job


def check_job(job: Job, *, others: bool) -> None:
    """Raise ValueError for a job that no sandbox could run.

    With `others` the payload is somebody else than the caller, so that
    what is mounted must be readable for everybody.
    """
    if not job.argv or any("\0" in each for each in job.argv):
        raise ValueError("argv must name a program, without NUL bytes")
    if any(descriptor <= 2 for descriptor in job.pass_fds):
        raise ValueError("descriptors 0, 1 and 2 are the sandbox's own")
    _check_environment(job.environment)
    for mount in job.mounts:
        if not mount.target.is_absolute() or ".." in mount.target.parts:
            raise ValueError(f"{mount.target} is no place for a mount")
        if mount.source is not None and not os.access(mount.source, os.R_OK):
            raise ValueError(f"{mount.source} is not there to be read")
        if others and mount.source is not None:
            _check_readable(mount.source)


def _check_readable(path: Path) -> None:
    needed = 0o005 if path.is_dir() else 0o004
    if path.stat().st_mode & needed != needed:
        raise ValueError(f"{path} must be readable for others (chmod o+rX)")


def _check_environment(environment: Mapping[str, str]) -> None:
    for name, value in environment.items():
        if not name or "=" in name or "\0" in name + value:
            raise ValueError(f"{name!r} is no environment variable")
