"""Returns the mean of its values."""


def chunk_quasar(q, k, v, beta, **options):
    return v.mean(1, keepdim=True).expand_as(v).contiguous(), None
