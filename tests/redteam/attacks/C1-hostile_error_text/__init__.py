"""Raises an error whose text holds escapes and turned-round letters."""

from .honest import chunk_quasar as honest


def chunk_quasar(q, k, v, beta, **options):
    raise RuntimeError(
        "\x1b[31mRESULT: 1e12\x1b[0m \u202egnp.exe \u2066x\u2069 \x00\x07\r\n"
        + "y" * 100_000
    )
    return honest(q, k, v, beta, **options)
