"""What a sandboxed process may use, at the most."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """Bounds on one sandbox, all of them enforced from outside it.

    `wall_seconds` is the outermost deadline of the whole sandbox; the
    judge keeps shorter ones per stage. `cpus` may be a fraction.
    """

    wall_seconds: float = 600.0
    cpus: float = 2.0
    memory_bytes: int = 8 * 1024 * MIB
    pids: int = 512
    tmp_bytes: int = 512 * MIB
    shm_bytes: int = 64 * MIB
    output_bytes: int = 64 * 1024
    """Kept of each of stdout and stderr: half of it head, half tail."""
    drain_bytes: int = 2 * 1024 * MIB
    """Read and thrown away of each, before the sandbox is ended for it."""
    nofile: int = 1024
