"""What counters show before anything was counted."""

from __future__ import annotations

from prometheus_client import Counter


def shown(counter: Counter) -> dict[tuple[str, ...], float]:
    """The value of each labelled series, by its labels' values."""
    return {
        tuple(sample.labels.values()): sample.value
        for metric in counter.collect()
        for sample in metric.samples
        if sample.name.endswith("_total")
    }
