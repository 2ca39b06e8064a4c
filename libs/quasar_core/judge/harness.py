"""The harness digest: by which code a run was judged."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path

from quasar_core.judge.pinned import pinned_files

FOLDERS = (
    ("quasar_core", "judge"),
    ("quasar_core", "domain"),
    ("fla_quasar", "layers"),
    ("fla_quasar", "modules"),
    ("fla_quasar", "ops"),
)
"""By package and folder: naming the folder itself would import torch."""


@cache
def harness_digest() -> str:
    """SHA-256 over the judge, the rules, the kernels and the pinned tree.

    Two workers with the same digest judge by the same code.
    """
    files = dict(pinned_files())
    for package, folder in FOLDERS:
        root = Path(str(resources.files(package))) / folder
        for path in sorted(root.rglob("*.py")):
            inside = path.relative_to(root).as_posix()
            name = f"{package}/{folder}/{inside}"
            files[name] = path.read_bytes()
    return digest(files)


def digest(files: Mapping[str, bytes]) -> str:
    """SHA-256 over sorted, length-prefixed names and contents, in hex."""
    total = hashlib.sha256()
    for name, content in sorted(files.items()):
        for part in (name.encode(), content):
            total.update(len(part).to_bytes(8, "big") + part)
    return total.hexdigest()
