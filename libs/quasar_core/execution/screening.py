"""The screen in a sandbox of its own: its parser reads hostile bytes."""

from __future__ import annotations

import os
from collections.abc import Mapping

from quasar_core.domain.sources import check_names_and_sizes
from quasar_core.errors import Stage
from quasar_core.execution.frames import Kind, encode
from quasar_core.execution.limits import MIB, Limits
from quasar_core.execution.reading import Asked, read
from quasar_core.execution.sandbox import Sandbox

LIMITS = Limits(
    wall_seconds=30,
    cpus=1,
    memory_bytes=1024 * MIB,
    pids=8,
    tmp_bytes=MIB,
    shm_bytes=MIB,
    output_bytes=64 * 1024,
    drain_bytes=MIB,
)


def screen_inside(sandbox: Sandbox, files: Mapping[str, bytes]) -> None:
    """`domain.screening.screen`, run in `sandbox`; raises as it does."""
    sizes = {name: len(each) for name, each in files.items()}
    check_names_and_sizes(sizes, Stage.SCREEN)
    given = os.memfd_create("quasar", os.MFD_CLOEXEC)
    try:
        parts = [part for pair in files.items() for part in pair]
        blobs = [
            each.encode() if isinstance(each, str) else each for each in parts
        ]
        os.write(given, encode(Kind.FILES, blobs))
        os.lseek(given, 0, os.SEEK_SET)
        facts = {"descriptor": given}
        read(
            sandbox,
            Asked("screen", facts, Stage.SCREEN, LIMITS, passed=(given,)),
        )
    finally:
        os.close(given)
