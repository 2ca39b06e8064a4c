"""Returns its input."""


def chunk_quasar(q, k, v, beta, **options):
    return v, None
