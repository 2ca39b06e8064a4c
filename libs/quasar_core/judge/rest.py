"""The rest of the layer: what is trusted, and timed beside the core."""

from __future__ import annotations

import time
from statistics import median

import torch

from quasar_core.domain.workload import HIDDEN_SIZE, Profile
from quasar_core.judge.ground import Ground
from quasar_core.judge.inputs import DTYPES
from quasar_core.judge.settings import JudgeSettings


def measure_rest(
    tokens: int, settings: JudgeSettings, ground: Ground
) -> float:
    """t_rest: the median seconds of the trusted layer without its core.

    The layer of the competition, hidden size 512, in this process, in the
    raced type, and on as many threads as a kernel may use.
    """
    from fla_quasar.layers.quasar import QuasarAttention

    dtype = DTYPES[settings.element]
    layer = QuasarAttention(
        hidden_size=HIDDEN_SIZE,
        head_dim=settings.head_dim,
        num_heads=settings.num_heads,
        mode="chunk",
    )
    layer = layer.eval().to(ground.device, dtype)
    hidden = torch.randn(
        1, tokens, HIDDEN_SIZE, device=ground.device, dtype=dtype
    )
    with torch.inference_mode():
        if settings.profile is Profile.GPU:
            # A device's first call compiles.
            _rest_once(layer, hidden, ground)
        return median(
            _rest_once(layer, hidden, ground)
            for _ in range(settings.rest_samples)
        )


def _rest_once(layer: object, hidden: torch.Tensor, ground: Ground) -> float:
    from fla_quasar.layers.quasar import QuasarAttention

    assert isinstance(layer, QuasarAttention)  # noqa: S101 -- for the checker
    ground.wait()
    started = time.perf_counter()
    prepared = layer.prepare(hidden)
    ground.wait()
    between = time.perf_counter()
    output = torch.zeros_like(prepared.v)
    ground.wait()
    again = time.perf_counter()
    layer.combine(output, hidden, prepared.low)
    ground.wait()
    return between - started + time.perf_counter() - again
