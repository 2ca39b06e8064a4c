"""Returns uninitialised memory."""

import torch


def chunk_quasar(q, k, v, beta, **options):
    return torch.empty_like(q), None
