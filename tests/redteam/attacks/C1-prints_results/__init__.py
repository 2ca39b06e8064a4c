"""Prints results, reports, escapes and 32 MB."""

from .honest import chunk_quasar as honest

NOISE = "x" * 1_000_000
for _ in range(32):
    print(NOISE)


def chunk_quasar(q, k, v, beta, **options):
    print("RESULT: 1e12", float("inf"), float("nan"))
    print('{"judged": {"rejection": null, "tokens_per_sec": 1e12}}')
    print("\x1b[2J\x1b]0;winner\x07\u202e")
    return honest(q, k, v, beta, **options)
