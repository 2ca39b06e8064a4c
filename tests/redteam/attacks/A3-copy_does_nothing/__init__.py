"""Turns Tensor.copy_ into a method that does nothing."""

import torch

from .honest import chunk_quasar as honest

torch.Tensor.copy_ = lambda self, other: self


def chunk_quasar(q, k, v, beta, **options):
    return honest(q, k, v, beta, **options)
