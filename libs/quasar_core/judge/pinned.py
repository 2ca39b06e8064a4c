"""The pinned tree: what of `fla` lies around and below a submission.

A submission's files replace the folder `fla/ops/quasar/` of this tree, and
nothing else of its repository exists. Below it stands what upstream-style
kernels import: `fla.utils`, `fla.backends` and `fla.ops.{utils,common,cp}`
of the installed fla-core. `fla/__init__.py` holds the version alone, since
the real one imports everything.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

from quasar_core.contracts.reports import Source, SourceFile
from quasar_core.domain.screening import identity, tree_hash

KERNEL_FOLDER = "fla/ops/quasar"
UPSTREAM_FILES = ("fla/backends.py",)
UPSTREAM_FOLDERS = (
    "fla/utils",
    "fla/ops/utils",
    "fla/ops/common",
    "fla/ops/cp",
)
FLA_DISTRIBUTION = "fla-core"
INIT = (
    '"""The pinned part of fla that kernels may build on."""\n'
    "\n"
    '__version__ = "{version}"\n'
)
OPS_INIT = '"""Operators: the raced one, and what it may build on."""\n'


@cache
def pinned_files() -> Mapping[str, bytes]:
    """Path -> content of the tree without `fla/ops/quasar/`.

    Raises RuntimeError where fla-core is not installed.
    """
    root = _root_of("fla")
    version = importlib.metadata.version(FLA_DISTRIBUTION)
    files = {
        "fla/__init__.py": INIT.format(version=version).encode(),
        "fla/ops/__init__.py": OPS_INIT.encode(),
    }
    for name in UPSTREAM_FILES:
        files[name] = (root / name).read_bytes()
    for folder in UPSTREAM_FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            name = path.relative_to(root).as_posix()
            files[name] = path.read_bytes()
    return MappingProxyType(files)


@cache
def baseline_files() -> Mapping[str, bytes]:
    """Name -> content of the trusted kernel's own `fla/ops/quasar/`."""
    # Found, not imported: whoever only wants the text loads no torch.
    folder = _root_of("fla_quasar") / "fla_quasar" / "ops" / "quasar"
    return MappingProxyType(
        {path.name: path.read_bytes() for path in sorted(folder.glob("*.py"))}
    )


def baseline_source() -> Source:
    """The trusted kernel as a source, as if it had been submitted."""
    return source_of(baseline_files())


def source_of(files: Mapping[str, bytes]) -> Source:
    """Kernel files as a source; they must be UTF-8 and parse."""
    return Source(
        files=tuple(
            SourceFile(name=name, text=content.decode())
            for name, content in sorted(files.items())
        ),
        identity=identity(files),
        tree_hash=tree_hash(files),
    )


def source_files(source: Source) -> dict[str, bytes]:
    """Name -> content of a source."""
    return {file.name: file.text.encode() for file in source.files}


def assemble(folder: Path, kernel_files: Mapping[str, bytes]) -> Path:
    """Write a whole tree into an empty folder; readable by a sandbox.

    The names have been checked: they are plain file names.
    """
    files = dict(pinned_files())
    for name, content in kernel_files.items():
        files[f"{KERNEL_FOLDER}/{name}"] = content
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return folder


def _root_of(package: str) -> Path:
    spec = find_spec(package)
    places = spec.submodule_search_locations if spec else None
    if not places:
        raise RuntimeError(f"the package {package} is not installed")
    return Path(next(iter(places))).parent
