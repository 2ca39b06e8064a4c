"""Fills the device's memory and keeps it."""

import torch

from .honest import chunk_quasar as honest

kept = []


def chunk_quasar(q, k, v, beta, **options):
    while True:
        kept.append(torch.empty(1 << 28, device=q.device))
    return honest(q, k, v, beta, **options)
