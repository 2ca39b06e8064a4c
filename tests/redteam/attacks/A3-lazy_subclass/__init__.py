"""Returns a subclass of Tensor that could compute later."""

import torch

from .honest import chunk_quasar as honest


class Lazy(torch.Tensor):
    pass


def chunk_quasar(q, k, v, beta, **options):
    o, state = honest(q, k, v, beta, **options)
    return o.as_subclass(Lazy), state
