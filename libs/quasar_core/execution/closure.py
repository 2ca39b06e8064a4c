"""What of this environment a payload may see: its interpreter and a list.

The files of the named distributions and of what they need appear below
`/opt/site`, the interpreter with its standard library below `/opt/python`;
never site-packages whole, and nothing of this project.
"""

from __future__ import annotations

import csv
import functools
import re
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import metadata
from itertools import accumulate
from pathlib import Path

from packaging.requirements import Requirement

from quasar_core.execution.sandbox import Mount, SandboxUnavailable

PYTHON = Path("/opt/python")
SITE = Path("/opt/site")

# Ours, and what would hand a candidate the operators that it is to write.
DENIED = frozenset({"quasar-subnet", "fla-core", "flash-linear-attention"})

JUDGED = ("torch", "triton", "numpy", "einops")
"""The distributions that a kernel may import, and no others."""


def closure_mounts(distributions: Sequence[str] = JUDGED) -> tuple[Mount, ...]:
    """The interpreter, and `distributions` with all that they need.

    Raises SandboxUnavailable for one that is not installed, that is ours,
    or that is installed from a folder of its developer.
    """
    return (*_interpreter_mounts(), *_site_mounts(tuple(distributions)))


def python_in_sandbox() -> str:
    """The interpreter's path inside; give it `-s -P` and a script."""
    return str(PYTHON / "bin" / _executable().name)


def python_environment() -> Mapping[str, str]:
    """The variables that make the interpreter inside find its closure."""
    environment = {
        "PYTHONPATH": str(SITE),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
    }
    if sysconfig.get_config_var("Py_ENABLE_SHARED"):
        environment["LD_LIBRARY_PATH"] = str(PYTHON / "lib")
    return environment


def needed(distributions: Sequence[str]) -> tuple[str, ...]:
    """The normalised names of `distributions` and of all that they need."""
    waiting = [(_normalised(each), "") for each in distributions]
    found: set[tuple[str, str]] = set()
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting.extend(_needs(*one))
    return tuple(sorted({name for name, _ in found}))


def _executable() -> Path:
    base: str = getattr(sys, "_base_executable", sys.executable)
    return Path(base).resolve()


@functools.cache
def _interpreter_mounts() -> tuple[Mount, ...]:
    base = Path(sys.base_prefix).resolve()
    library = Path(sysconfig.get_path("stdlib")).resolve()
    headers = Path(sysconfig.get_path("include", vars={"base": str(base)}))
    inside = PYTHON / library.relative_to(base)
    hidden = ("site-packages", "dist-packages")
    return (
        Mount(_executable(), Path(python_in_sandbox())),
        Mount(library, inside),
        *(
            Mount(None, inside / each)
            for each in hidden
            if (library / each).is_dir()
        ),
        *(
            Mount(each, PYTHON / each.relative_to(base))
            for each in (headers,)
            if each.is_dir()
        ),
        *(
            Mount(each.resolve(), PYTHON / "lib" / each.name)
            for each in _shared_libraries()
        ),
    )


def _shared_libraries() -> Iterator[Path]:
    if sysconfig.get_config_var("Py_ENABLE_SHARED"):
        # One that was moved still names the folder that it was built for.
        moved = Path(sys.base_prefix, "lib")
        built_for = Path(sysconfig.get_config_var("LIBDIR"))
        for folder in (moved, built_for):
            if found := sorted(folder.glob("libpython*.so*")):
                yield from found
                return


@functools.cache
def _site_mounts(distributions: tuple[str, ...]) -> tuple[Mount, ...]:
    wanted = needed(distributions)
    inside: dict[str, Path] = {}
    for name in wanted:
        distribution = _distribution(name)
        root = Path(str(distribution.locate_file("")))
        inside.update(dict.fromkeys(_files(distribution), root))
    tops = {_top(path) for path in inside}
    others = {
        path
        for distribution in metadata.distributions()
        if _normalised(distribution.name) not in wanted
        for path in _files(distribution)
        if _top(path) in tops
    }
    return tuple(
        Mount(inside[path] / part, SITE / part)
        for part, path in _coarsest(inside, others).items()
    )


def _coarsest(inside: Iterable[str], others: Iterable[str]) -> dict[str, str]:
    """Whole folders where all files are of the closure; for each a file."""
    shared = {part for path in others for part in _parts(path)}
    # Installers differ in whether they list what they compiled.
    shared.add("__pycache__")
    chosen: dict[str, str] = {}
    for path in sorted(inside):
        part = next((each for each in _parts(path) if each not in shared), "")
        if part:
            chosen.setdefault(part, path)
    return chosen


def _parts(path: str) -> Iterator[str]:
    """`a`, `a/b` and `a/b/c` of `a/b/c`."""
    pieces = path.split("/")
    return accumulate(pieces, lambda before, piece: f"{before}/{piece}")


def _top(path: str) -> str:
    return path.partition("/")[0]


def _files(distribution: metadata.Distribution) -> tuple[str, ...]:
    """The files in site-packages: not scripts, headers or path hooks."""
    record = distribution.read_text("RECORD") or ""
    paths = (line[0] for line in csv.reader(record.splitlines()) if line)
    return tuple(
        path
        for path in paths
        if not path.startswith(("../", "/")) and not path.endswith(".pth")
    )


def _distribution(name: str) -> metadata.Distribution:
    if name in DENIED:
        raise SandboxUnavailable(f"{name} is never shown to a payload")
    try:
        distribution = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        raise SandboxUnavailable(
            f"{name} is not installed, but payloads need it: install the"
            " extra of this service, as in `pip install"
            " 'quasar-subnet[benchmark-worker]'`"
        ) from None
    if '"editable": true' in (distribution.read_text("direct_url.json") or ""):
        raise SandboxUnavailable(
            f"{name} is installed from its developer's folder, which is not"
            " shown to payloads; install a built one"
        )
    if distribution.read_text("RECORD") is None:
        raise SandboxUnavailable(
            f"{name} has no list of its files; install it with pip or uv"
        )
    return distribution


def _needs(name: str, extra: str) -> Iterator[tuple[str, str]]:
    """What a distribution needs for one of its extras, "" for itself.

    torch's CUDA build asks for its libraries as extras of another one.
    """
    for line in _distribution(name).requires or ():
        requirement = Requirement(line)
        marker = requirement.marker
        if marker is None or marker.evaluate({"extra": extra}):
            needed_name = _normalised(requirement.name)
            yield needed_name, ""
            yield from ((needed_name, each) for each in requirement.extras)


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
