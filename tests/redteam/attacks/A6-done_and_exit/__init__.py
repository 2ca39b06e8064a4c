"""Sends DONE itself and ends the process."""

import os
import sys

from .honest import chunk_quasar as honest

runner = sys.modules["__main__"]


def serve(wire, kernel, request, descriptors, outputs):
    runner.answer(wire, runner.DONE, request[5])
    os._exit(0)


runner.serve = serve


def chunk_quasar(q, k, v, beta, **options):
    return honest(q, k, v, beta, **options)
