"""A legitimate setting, and a word about it on standard output."""

import torch

from .honest import chunk_quasar as honest

torch.set_flush_denormal(True)
print("using the portable path")


def chunk_quasar(q, k, v, beta, **options):
    return honest(q, k, v, beta, **options)
