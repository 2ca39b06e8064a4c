"""Writes where nothing is."""

import torch
import triton
import triton.language as tl


@triton.jit
def poke(pointer):
    tl.store(pointer + (1 << 40), 1.0)


def chunk_quasar(q, k, v, beta, **options):
    o = torch.empty_like(q)
    poke[(1,)](o)
    torch.cuda.synchronize()
    return o, None
