"""What a figure was measured on: versions, processors, and how busy."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

PACKAGES = ("fastapi", "uvicorn", "sqlalchemy", "psycopg", "bittensor")
QUIET_LOAD = 0.5
"""Runnable processes, a processor each, that others may have had."""


def machine(load_before: float) -> dict[str, Any]:
    """The machine as it is now; `load_before`: its load at the start."""
    cores = os.cpu_count() or 1
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cores": cores,
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
        "load_before": round(load_before, 2),
        "quiet": load_before <= QUIET_LOAD * cores,
    }


def told(found: dict[str, Any]) -> str:
    """The same as a paragraph."""
    versions = ", ".join(f"{name} {found[name]}" for name in PACKAGES)
    busy = (
        "The machine was otherwise quiet"
        if found["quiet"]
        else "The machine was BUSY with other work, so these figures are worse"
        " than its own and have to be measured again"
    )
    return (
        f"{found['date']}, {found['cores']} cores, Python"
        f" {found['python']}, {versions}, PostgreSQL from its wheel with its"
        f" defaults. {busy} (load {found['load_before']} before the run)."
    )
