"""Physics: the time below which no kernel on a known GPU can be right.

Who is faster has fooled the clock or the comparison, whichever way: the run
is set aside for somebody to look at, and not ranked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from quasar_core.domain.workload import Profile, Workload


@dataclass(frozen=True)
class Card:
    """What a GPU can do at the most, by its maker's data sheet.

    Bytes per second of its memory, bytes of its last cache, and dense bf16
    operations per second.
    """

    memory_bytes_per_sec: float
    cache_bytes: int
    operations_per_sec: float


MIB = 1024 * 1024
CARDS: Mapping[str, Card] = MappingProxyType(
    {
        "NVIDIA A100-SXM4-80GB": Card(2.04e12, 40 * MIB, 312e12),
        "NVIDIA H100 PCIe": Card(2.04e12, 50 * MIB, 756e12),
        "NVIDIA H100 80GB HBM3": Card(3.36e12, 50 * MIB, 990e12),
        "NVIDIA H200": Card(4.9e12, 60 * MIB, 990e12),
    }
)
"""By the name that NVML tells."""

OPERATIONS = 6
"""Per token and head at least so many times S squared: three products of a
row or a column with the state, each of a multiplication and an addition."""


def floor_seconds(card_name: str, workload: Workload) -> float | None:
    """The least time of one call; None for a card that is not in the table.

    q, k and v are read and o is written once, less what may lie in the
    card's cache.
    """
    card = CARDS.get(card_name)
    if card is None:
        return None
    size = Profile.GPU.element_bytes
    moved = workload.input_bytes(size) + workload.output_bytes(size)
    rows = workload.batch * workload.num_heads * workload.sequence_length
    operations = OPERATIONS * rows * workload.head_dim**2
    return max(
        max(0, moved - card.cache_bytes) / card.memory_bytes_per_sec,
        operations / card.operations_per_sec,
    )


def too_fast(
    samples: Sequence[float], card_name: str, workload: Workload
) -> bool:
    """Whether even one sample, in seconds, is below what the card allows."""
    floor = floor_seconds(card_name, workload)
    return floor is not None and min(samples) < floor
