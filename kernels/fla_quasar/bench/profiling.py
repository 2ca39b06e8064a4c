"""Where the time of a call goes, kernel by kernel, by torch's profiler."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch

REPEATS = 3
# Template arguments and namespaces make names of hundreds of letters.
LONGEST_NAME = 60


def kernel_times(call: Callable[[], object]) -> dict[str, float]:
    """Milliseconds on the device by kernel, of one call, longest first."""
    from torch.profiler import ProfilerActivity, profile

    for _ in range(2):
        call()
    torch.cuda.synchronize()
    with profile(activities=[ProfilerActivity.CUDA]) as profiler:
        for _ in range(REPEATS):
            call()
        torch.cuda.synchronize()
    return summed(profiler.key_averages(), REPEATS)


def summed(events: Iterable[Any], repeats: int) -> dict[str, float]:
    """Milliseconds of one repeat by readable name, longest first.

    Events are the profiler's averages; those without time on the device
    are calls of the host.
    """
    times: dict[str, float] = defaultdict(float)
    for event in events:
        if event.self_device_time_total > 0:
            name = readable(event.key)
            times[name] += event.self_device_time_total / 1000 / repeats
    return dict(sorted(times.items(), key=lambda item: -item[1]))


def readable(kernel: str) -> str:
    """A kernel's name without its types, cut where it is long."""
    name = kernel.removeprefix("void ").split("<")[0].split("(")[0]
    return name.rsplit("::", 1)[-1].strip()[:LONGEST_NAME] or kernel
