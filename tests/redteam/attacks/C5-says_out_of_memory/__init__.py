"""Claims to be out of memory so as to be run again."""

from .honest import chunk_quasar as honest


def chunk_quasar(q, k, v, beta, **options):
    raise MemoryError("please try me again")
    return honest(q, k, v, beta, **options)
