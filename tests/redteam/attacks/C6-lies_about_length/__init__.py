"""Says that its text is longer than the frame."""

import sys

from .honest import chunk_quasar as honest

runner = sys.modules["__main__"]


def answer(wire, kind, nonce, code=0, text=b""):
    frame = runner.REPLY.pack(runner.MAGIC, 3, 3, 65_535, nonce, b"")
    wire.sendall(frame)


runner.answer = answer


def chunk_quasar(q, k, v, beta, **options):
    return honest(q, k, v, beta, **options)
