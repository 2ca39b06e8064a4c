"""Which processors a sandbox may use: a set, and a share where it is less.

A share of time alone lets a payload run on every processor at once until
its share is used up, and so seem faster than it is.
"""

from __future__ import annotations

import contextlib
import math
import os
import threading
from collections.abc import Iterator


def chosen(cpus: float) -> tuple[int, ...]:
    """The numbers of the processors for a sandbox of that size.

    Always the same ones, so that what is compared runs on the same: the
    last of those that this process may use, since the first does most of
    the machine's own work.
    """
    usable = sorted(os.sched_getaffinity(0))
    return tuple(usable[-max(1, math.ceil(cpus)) :])


def quota(cpus: float, period: int) -> int | None:
    """The share of time in each `period`, or None where the set says it all.

    A quota that could not bind would only add the scheduler's slices to
    what is timed.
    """
    whole = len(chosen(cpus))
    return None if cpus >= whole else max(1, int(cpus * period))


@contextlib.contextmanager
def on_processors(cpus: float) -> Iterator[None]:
    """What this thread starts meanwhile may use the chosen processors only.

    The kernel hands the set on to every process and thread that is born of
    it, and a sandbox's filter refuses to change it.
    """
    thread = threading.get_native_id()
    before = os.sched_getaffinity(thread)
    os.sched_setaffinity(thread, chosen(cpus))
    try:
        yield
    finally:
        os.sched_setaffinity(thread, before)
