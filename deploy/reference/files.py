"""The files that are generated from the settings, and what writes each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from deploy.reference.example import example
from deploy.reference.page import page

ROOT = Path(__file__).resolve().parents[2]

FILES: Mapping[Path, Callable[[], str]] = MappingProxyType(
    {
        ROOT / "docs" / "configuration.md": page,
        ROOT / ".env.example": example,
    }
)
