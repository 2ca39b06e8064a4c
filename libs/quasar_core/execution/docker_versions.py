"""Which engines are known to let a container out, by their versions."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from typing import Any

Version = tuple[int, ...]

RUNC: tuple[Version, ...] = ((1, 2, 8), (1, 3, 3))
"""The first of each line without CVE-2025-31133, -52565 and -52881."""
TOOLKIT = (1, 17, 8)
"""Without CVE-2024-0132, CVE-2025-23359, CVE-2025-23266 and -23267."""


def outdated(engine: Mapping[str, Any]) -> tuple[str, ...]:
    """A sentence for each part with a known leak; `engine` as it tells."""
    found = []
    runc = _component(engine, "runc")
    if not _runc_is_sound(runc):
        found.append(
            f"runc {_text(runc)} lets containers out: install 1.2.8, 1.3.3"
            " or newer"
        )
    toolkit = toolkit_version()
    if toolkit is not None and toolkit < TOOLKIT:
        found.append(
            f"the NVIDIA container toolkit {_text(toolkit)} lets containers"
            f" out: install {_text(TOOLKIT)} or newer"
        )
    return tuple(found)


def toolkit_version() -> Version | None:
    """That of the NVIDIA container toolkit; None where there is none."""
    found = shutil.which("nvidia-ctk")
    if found is None:
        return None
    done = subprocess.run(  # noqa: S603 -- a path that `which` found
        [found, "--version"], capture_output=True, text=True, check=False
    )
    return version_in(done.stdout)


def version_in(text: str) -> Version:
    """The first three numbers in a text; () where there are none."""
    found = re.search(r"(\d+)\.(\d+)\.(\d+)", text)
    return tuple(map(int, found.groups())) if found else ()


def _runc_is_sound(version: Version) -> bool:
    for first in RUNC:
        if version[:2] == first[:2]:
            return version >= first
    return version > RUNC[-1]


def _component(engine: Mapping[str, Any], name: str) -> Version:
    for each in engine.get("Components") or ():
        if each["Name"] == name:
            return version_in(each["Version"])
    return ()


def _text(version: Version) -> str:
    return ".".join(map(str, version)) or "of an unknown version"
