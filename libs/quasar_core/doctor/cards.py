"""Cards: the NVIDIA driver, and which of its devices a process would see."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence

from quasar_core.doctor.findings import Finding

QUERY = (
    "--query-gpu=uuid,name,memory.total,driver_version",
    "--format=csv,noheader",
)
PATIENCE_SECONDS = 30.0
"""A driver that is in trouble may keep `nvidia-smi` for good."""

INSTALL = (
    "install the NVIDIA driver, or set QUASAR_POOL and QUASAR_JUDGE to a pool"
    " that judges on processors"
)


def check_cards(needed: bool) -> Iterator[Finding]:
    """Driver and cards; without any, a note where none is `needed`."""
    path = shutil.which("nvidia-smi")
    if path is None:
        yield Finding("driver", False, "no NVIDIA driver", INSTALL, needed)
        return
    try:
        done = subprocess.run(  # noqa: S603 -- a path that `which` found
            [path, *QUERY],
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )
    except subprocess.TimeoutExpired:
        silent = f"nvidia-smi says nothing within {PATIENCE_SECONDS:g} s"
        yield Finding("driver", False, silent, "reboot this host", needed)
        return
    rows = [line.split(", ") for line in done.stdout.splitlines()]
    cards = [row for row in rows if len(row) == len(_Card)]
    if done.returncode or not cards:
        said = " ".join((done.stdout + done.stderr).split())
        fix = "load the driver's modules, or install it again"
        yield Finding("driver", False, f"it says: {said}", fix, needed)
        return
    yield Finding("driver", True, cards[0][-1])
    yield _visible(cards, os.environ.get("CUDA_VISIBLE_DEVICES"), needed)


_Card = ("uuid", "name", "memory", "driver")


def _visible(
    cards: Sequence[Sequence[str]], chosen: str | None, needed: bool
) -> Finding:
    """The cards that CUDA would show, read as CUDA reads that variable."""
    seen = [*cards] if chosen is None else list(_chosen(cards, chosen))
    names = ", ".join(f"{name} ({memory})" for _, name, memory, _ in seen)
    detail = f"{len(seen)} of {len(cards)} visible"
    if not seen:
        return Finding(
            "gpu",
            False,
            f"{detail}: CUDA_VISIBLE_DEVICES={chosen}",
            "unset CUDA_VISIBLE_DEVICES, or name a card that is there",
            needed,
        )
    return Finding("gpu", True, f"{detail}: {names}")


def _chosen(
    cards: Sequence[Sequence[str]], chosen: str
) -> Iterator[Sequence[str]]:
    """Up to the first entry that names no card: there CUDA stops reading."""
    for entry in (part.strip() for part in chosen.split(",")):
        if entry.isdecimal() and int(entry) < len(cards):
            yield cards[int(entry)]
            continue
        named = [c for c in cards if entry and c[0].startswith(entry)]
        if len(named) != 1:
            return
        yield named[0]
