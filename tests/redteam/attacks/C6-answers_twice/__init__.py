"""Answers each call twice."""

import sys

from .honest import chunk_quasar as honest

runner = sys.modules["__main__"]

true_answer = runner.answer


def answer(*call):
    true_answer(*call)
    true_answer(*call)


runner.answer = answer


def chunk_quasar(q, k, v, beta, **options):
    return honest(q, k, v, beta, **options)
