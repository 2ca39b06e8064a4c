"""How far a peer may tune itself: fla tries its configurations when called.

Compiling them one after another is what took the time, so they are compiled
side by side before any is timed. That changes no choice, and what was chosen
stays in Triton's cache for the next process. `briefly` does change it: it
lets a kernel choose from a few of its configurations, evenly spread.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

FEW = 4
THREADS = min(os.cpu_count() or 1, 16)


@contextmanager
def tuned(*, briefly: bool) -> Iterator[None]:
    """Within it, Triton's autotuner compiles in parallel."""
    from triton.runtime.autotuner import Autotuner

    prune = Autotuner.prune_configs

    def pruned(self: Any, kwargs: dict[str, Any]) -> list[Any]:
        configs = spread(prune(self, kwargs), FEW if briefly else None)
        if not kwargs.get("warmup"):
            compile_all(self, kwargs, configs)
        return configs

    Autotuner.prune_configs = pruned
    try:
        yield
    finally:
        Autotuner.prune_configs = prune


def spread(configs: list[Any], number: int | None) -> list[Any]:
    """At most `number` of `configs`, the first and others evenly after it."""
    if number is None or len(configs) <= number:
        return list(configs)
    return [configs[i * len(configs) // number] for i in range(number)]


def compile_all(
    autotuner: Any, kwargs: dict[str, Any], configs: list[Any]
) -> int:
    """Compile every configuration, launching none; how many failed.

    One that does not compile is left for the autotuner to find out.
    """
    arguments = list(autotuner.nargs.values())

    def compiled(config: Any) -> None:
        options = kwargs | config.all_kwargs() | {"warmup": True}
        autotuner.fn.run(*arguments, **options)

    with ThreadPoolExecutor(THREADS) as pool:
        futures: list[Future[None]] = [
            pool.submit(compiled, config) for config in configs
        ]
    return sum(future.exception() is not None for future in futures)
