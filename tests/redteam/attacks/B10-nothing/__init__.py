"""Returns nothing."""


def chunk_quasar(q, k, v, beta, **options):
    return None
