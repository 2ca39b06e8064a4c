"""Health: whether a device still computes, remembers and keeps its pace.

Looked at before and after each job, with numbers that are known: a job that
left the device hurt must not be followed by another.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median

import torch

from quasar_core.errors import TransientError
from quasar_core.execution.limits import MIB
from quasar_core.judge.ground import Ground

EDGE = 2_048
"""Rows of the canary's matrices: some tens of microseconds of work."""

MEMORY_BYTES = 1_024 * MIB
REPEATS = 9
SLOWER = 1.5
"""A canary that takes so many times as long as before the job is ill."""

SETTLING = (0.5, 1.0, 2.0, 4.0)
"""Seconds to wait before a slow canary is timed again.

A card that has just been freed of a killed program may compute slowly for a
moment; one that still does after these is ill.
"""


class UnhealthyError(TransientError):
    """The device failed its health check: the machine's fault."""


@contextmanager
def healthy(ground: Ground) -> Iterator[None]:
    """Check a device before a job and after it, however the job ends.

    A processor is not examined. Raises UnhealthyError.
    """
    before = canary(ground)
    try:
        yield
    finally:
        after = canary(ground)
        for pause in SETTLING:
            if after <= SLOWER * before:
                break
            time.sleep(pause)
            after = canary(ground)
        if after > SLOWER * before:
            raise UnhealthyError(
                f"the canary took {after:.2e} s after the job, and"
                f" {before:.2e} s before it"
            )


def canary(ground: Ground) -> float:
    """Seconds of a known computation, or 0.0 where nothing is examined.

    Raises UnhealthyError where its result or the memory is wrong, or where
    the device does not answer.
    """
    if not ground.is_examined:
        return 0.0
    try:
        check_memory(ground, MEMORY_BYTES)
        return check_canary(ground, EDGE)
    except RuntimeError as error:
        raise UnhealthyError(f"the device answers: {error}") from error


def check_memory(ground: Ground, size: int) -> None:
    """Write two patterns and read them back; raises UnhealthyError."""
    memory = torch.empty(size, dtype=torch.uint8, device=ground.device)
    for pattern in (0x55, 0xAA):
        memory.fill_(pattern)
        ground.wait()
        if not bool((memory == pattern).all()):
            raise UnhealthyError("the device's memory lost what was written")


def check_canary(ground: Ground, edge: int) -> float:
    """The median seconds of a product of known whole numbers.

    Row i of the first matrix is i % 7, the second is all ones: each number
    of row i of the product is exactly (i % 7) times `edge`.
    """
    rows = torch.arange(edge, device=ground.device) % 7
    left = rows.to(torch.float32)[:, None].expand(edge, edge).contiguous()
    right = torch.ones(edge, edge, device=ground.device)
    product = left @ right
    if not bool((product == (rows * edge).to(torch.float32)[:, None]).all()):
        raise UnhealthyError("the device's canary computed a wrong number")
    return median(_seconds(ground, lambda: left @ right))


def _seconds(ground: Ground, call: Callable[[], object]) -> Iterator[float]:
    for _ in range(REPEATS):
        ground.wait()
        started = time.perf_counter()
        call()
        ground.wait()
        yield time.perf_counter() - started
