"""One measurement: median time, peak memory, or why there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from statistics import median

import torch

WARM_UPS = 3
REPEATS = 10
LONGEST_FAILURE = 200


@dataclass(frozen=True)
class Measure:
    """A candidate at one length: `kind` is one of `rows.KINDS`.

    Milliseconds (median) and peak bytes beyond the inputs, or `failure`.
    `parts` are milliseconds by kernel, or worst errors by operator.
    """

    kind: str
    name: str
    tokens: int
    milliseconds: float | None = None
    peak_bytes: int | None = None
    failure: str = ""
    parts: dict[str, float] = field(default_factory=dict[str, float])

    @property
    def tokens_per_second(self) -> float | None:
        """None where it did not run."""
        if self.milliseconds is None:
            return None
        return self.tokens / self.milliseconds * 1000


def tried(
    kind: str, name: str, tokens: int, run: Callable[[], Measure]
) -> Measure:
    """What `run` measures, or why it could not."""
    try:
        return run()
    except torch.cuda.OutOfMemoryError:
        return Measure(kind, name, tokens, failure="out of memory")
    except ImportError as fault:
        return Measure(kind, name, tokens, failure=f"absent: {fault.name}")
    except (AssertionError, RuntimeError, TypeError, ValueError) as fault:
        failure = f"failed: {type(fault).__name__}: {fault}"[:LONGEST_FAILURE]
        return Measure(kind, name, tokens, failure=failure)


def measure(
    kind: str, name: str, tokens: int, call: Callable[[], object]
) -> Measure:
    """Time `call` by device events."""
    for _ in range(WARM_UPS):
        call()
    torch.cuda.synchronize()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    times = [_once(call) for _ in range(REPEATS)]
    peak = torch.cuda.max_memory_allocated() - before
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


COPIED = 2**30
PRODUCT = (2**19, 512, 2048)


def measure_limit(name: str) -> Measure:
    """Of "copy" (a large one) or "product" (a large one, in bfloat16)."""
    if name == "copy":
        x = torch.randn(COPIED, device="cuda").to(torch.bfloat16)
        return measure("limit", name, 0, x.clone)
    rows, inner, columns = PRODUCT
    a = torch.randn(rows, inner, device="cuda").to(torch.bfloat16)
    b = torch.randn(inner, columns, device="cuda").to(torch.bfloat16)
    return measure("limit", name, 0, lambda: a @ b)


def limits_of(measures: Iterable[Measure]) -> Limits | None:
    """From the two measurements of limits, None unless both are there.

    A copy reads and writes 2 bytes a number.
    """
    times = {
        x.name: x.milliseconds
        for x in measures
        if x.kind == "limit" and x.milliseconds
    }
    if not {"copy", "product"} <= times.keys():
        return None
    rows, inner, columns = PRODUCT
    return Limits(
        2 * 2 * COPIED / times["copy"] * 1000,
        2 * rows * inner * columns / times["product"] * 1000,
    )
