"""Returns a constant."""

import torch


def chunk_quasar(q, k, v, beta, **options):
    return torch.full_like(q, 0.1), None
