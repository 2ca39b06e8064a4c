"""The rest of the layer: what is trusted, and timed beside the core."""

from __future__ import annotations

import time
from functools import partial
from statistics import median
from typing import TYPE_CHECKING

import torch

from quasar_core.domain.workload import HIDDEN_SIZE
from quasar_core.judge.ground import Ground
from quasar_core.judge.inputs import DTYPES
from quasar_core.judge.settings import JudgeSettings
from quasar_core.judge.timeline import Timeline

if TYPE_CHECKING:
    from fla_quasar.layers.quasar import Prepared, QuasarAttention


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
    once = partial(_rest_once, layer, hidden, ground)
    with torch.inference_mode():
        if ground.timeline is not None:
            # A device's first call compiles.
            once()
            once = partial(
                _rest_queued, layer, hidden, ground, ground.timeline
            )
        return median(once() for _ in range(settings.rest_samples))


def _rest_once(
    layer: QuasarAttention, hidden: torch.Tensor, ground: Ground
) -> float:
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


def _rest_queued(
    layer: QuasarAttention,
    hidden: torch.Tensor,
    ground: Ground,
    timeline: Timeline,
) -> float:
    """The device's own time: it is busy until all of it is queued."""
    ground.keep_busy()
    kept: list[Prepared] = []
    outputs: list[torch.Tensor] = []
    marks = [timeline.mark()]
    timeline.do(lambda: kept.append(layer.prepare(hidden)))
    marks.append(timeline.mark())
    timeline.do(lambda: outputs.append(torch.zeros_like(kept[0].v)))
    marks.append(timeline.mark())
    timeline.do(lambda: layer.combine(outputs[0], hidden, kept[0].low))
    marks.append(timeline.mark())
    return timeline.seconds(*marks[:2]) + timeline.seconds(*marks[2:])
