"""Closes the socket and lives on."""

import sys
import time

from .honest import chunk_quasar as honest

runner = sys.modules["__main__"]


def serve(wire, *rest):
    wire.close()
    time.sleep(999)


runner.serve = serve


def chunk_quasar(q, k, v, beta, **options):
    return honest(q, k, v, beta, **options)
