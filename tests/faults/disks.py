"""Disks without a free byte: small file systems, filled to the brim."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from io import RawIOBase
from pathlib import Path

SMALL = "64k"


def may_mount() -> bool:
    """Whether this process may make a file system of a size."""
    return os.geteuid() == 0 and shutil.which("mount") is not None


@contextmanager
def mounted(folder: Path, size: str) -> Iterator[None]:
    """A file system of this size in place of `folder`."""
    options = ("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))
    subprocess.run(["mount", *options], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextmanager
def filled(folder: Path) -> Iterator[None]:
    """No free byte on the disk under `folder`, until the end."""
    ballast = folder / "ballast"
    try:
        with ballast.open("wb", buffering=0) as heavy:
            for size in (1 << 20, 1 << 12):
                _fill(heavy, bytes(size))
        yield
    finally:
        ballast.unlink()


@contextmanager
def full(folder: Path) -> Iterator[None]:
    """A small file system in place of `folder`, without a free byte."""
    with mounted(folder, SMALL), filled(folder):
        yield


def _fill(file: RawIOBase, chunk: bytes) -> None:
    try:
        while True:
            file.write(chunk)
    except OSError:
        return
