"""Folders that nobody but their owner can write."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def make_private(directory: Path) -> None:
    """Make the folder, or find it as private as it should be.

    In a folder that all may write, such as /tmp, somebody else may have
    been first. Raises OSError where it cannot be made or is not ours.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = directory.lstat()
    shared = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    ours = found.st_uid == os.geteuid()
    if shared or not ours or not stat.S_ISDIR(found.st_mode):
        raise PermissionError(
            f"{directory} must be a folder that only this user can write:"
            " remove it, or name another one"
        )
