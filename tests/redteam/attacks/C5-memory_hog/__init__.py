"""Takes more memory than it may."""

from .honest import chunk_quasar as honest


def chunk_quasar(q, k, v, beta, **options):
    hog = bytearray(1 << 30)
    del hog
    return honest(q, k, v, beta, **options)
