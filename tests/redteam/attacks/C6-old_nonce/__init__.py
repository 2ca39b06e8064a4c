"""Answers with the nonce of an earlier call."""

import sys

from .honest import chunk_quasar as honest

runner = sys.modules["__main__"]

true_answer = runner.answer
nonces = []


def answer(wire, kind, nonce, *rest):
    nonces.append(nonce)
    true_answer(wire, kind, nonces[0], *rest)


runner.answer = answer


def chunk_quasar(q, k, v, beta, **options):
    return honest(q, k, v, beta, **options)
