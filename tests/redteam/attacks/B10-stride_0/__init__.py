"""Returns one row seen many times."""

from .honest import chunk_quasar as honest


def chunk_quasar(q, k, v, beta, **options):
    return honest(q, k, v, beta, **options)[0][:, :1].expand_as(q), None
