"""One measurement: median time, peak memory, or why there is none."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import torch

WARM_UPS = 3
REPEATS = 10


@dataclass(frozen=True)
class Measure:
    """A candidate at one length: `kind` is forward, both or layer.

    Milliseconds (median) and peak bytes beyond the inputs, or `failure`.
    """

    kind: str
    name: str
    tokens: int
    milliseconds: float | None = None
    peak_bytes: int | None = None
    failure: str = ""

    @property
    def tokens_per_second(self) -> float | None:
        """None where it did not run."""
        if self.milliseconds is None:
            return None
        return self.tokens / self.milliseconds * 1000


def measure(
    kind: str, name: str, tokens: int, call: Callable[[], object]
) -> Measure:
    """Time `call` by device events.

    Running out of memory is a result, and so is a peer that cannot run with
    the versions that are installed.
    """
    try:
        for _ in range(WARM_UPS):
            call()
        torch.cuda.synchronize()
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        times = [_once(call) for _ in range(REPEATS)]
        peak = torch.cuda.max_memory_allocated() - before
    except torch.cuda.OutOfMemoryError:
        return Measure(kind, name, tokens, failure="out of memory")
    except (AssertionError, RuntimeError, TypeError, ValueError) as fault:
        failure = f"failed: {type(fault).__name__}"
        return Measure(kind, name, tokens, failure=failure)
    finally:
        gc.collect()
        torch.cuda.empty_cache()
    return Measure(kind, name, tokens, median(times), peak)


def _once(call: Callable[[], object]) -> float:
    start = torch.cuda.Event(enable_timing=True)
    stop = torch.cuda.Event(enable_timing=True)
    start.record()
    call()
    stop.record()
    torch.cuda.synchronize()
    return start.elapsed_time(stop)


@dataclass(frozen=True)
class Limits:
    """What the card reaches here: bytes per second copied, bf16 FLOP/s."""

    copied: float
    multiplied: float


def limits() -> Limits:
    """Measure a large copy (read + write) and a large bf16 product."""
    x = torch.randn(2**30, device="cuda").to(torch.bfloat16)
    copied = measure("limit", "copy", 0, x.clone).milliseconds or 0.0
    a = torch.randn(2**19, 512, device="cuda").to(torch.bfloat16)
    b = torch.randn(512, 2048, device="cuda").to(torch.bfloat16)
    product = measure("limit", "product", 0, lambda: a @ b).milliseconds or 0.0
    return Limits(
        2 * x.nbytes / copied * 1000,
        2 * 2**19 * 512 * 2048 / product * 1000,
    )
