"""Disks: how much a process may still write, by what it keeps there."""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping
from enum import StrEnum
from functools import partial
from pathlib import Path

from quasar_core.telemetry.metrics import DISK_FREE_BYTES, DISK_SIZE_BYTES


class Place(StrEnum):
    """What a process keeps on a disk."""

    DATABASE = "database"
    """The API's SQLite file, the archive of sources in it."""
    STATE = "state"
    """A worker's undelivered results, its key and its locks."""
    WORK = "work"
    """What a run needs while it lasts."""


def watch_disks(places: Mapping[Place, Path]) -> None:
    """Show the disk under each path, asked anew at each scrape.

    A path may come into being later: until then the folder that will hold
    it is asked.
    """
    for place, path in places.items():
        for gauge, field in (
            (DISK_FREE_BYTES, "free"),
            (DISK_SIZE_BYTES, "total"),
        ):
            gauge.labels(place.value).set_function(
                partial(_bytes_of, path, field)
            )


def standing_folder(path: Path) -> Path:
    """The nearest of a path and its parents that exists."""
    place = path.absolute()
    while not place.exists():
        place = place.parent
    return place


def _bytes_of(path: Path, field: str) -> float:
    """NaN where the disk does not answer: a scrape shows all else."""
    try:
        usage = shutil.disk_usage(standing_folder(path))
    except OSError:
        return math.nan
    return float(getattr(usage, field))
