"""The sandbox's image: made from this host's own files, without a registry.

It holds the dynamic linker, the shared libraries and a few programs, and no
interpreter and no package: those are mounted read-only for each job.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import sysconfig
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from docker.errors import ImageNotFound

from quasar_core.execution.sandbox import SandboxUnavailable

REPOSITORY = "quasar-sandbox"
FOLDERS = {
    **dict.fromkeys(("dev", "etc", "opt", "proc", "sys"), 0o755),
    "tmp": 0o1777,
}
"""A tmpfs takes its mode from the folder that it covers."""

LINKS = ("bin", "lib", "lib32", "lib64", "sbin")
PROGRAMS = (
    *("sh", "cat", "head", "id", "ls", "sleep", "sort", "xargs", "yes"),
    *("env", "true", "false", "mkdir", "rm", "git", "gzip"),
)
HELPERS = ("git-core/git-remote-https", "git-core/git-remote-http")
"""Below /usr/lib, or wherever this git keeps them."""
LIBRARIES = (
    *("libstdc++.so.6", "libgcc_s.so.1", "libm.so.6", "librt.so.1"),
    *("libdl.so.2", "libpthread.so.0", "libutil.so.1", "libgomp.so.1"),
)
"""What compiled packages link to, whatever the programs need."""
FILES = ("/etc/ssl/certs/ca-certificates.crt",)


def ensure_image(api: Any) -> str:
    """The id of the image for this host's files, made where it is missing.

    Raises SandboxUnavailable where it cannot be made.
    """
    contents = image_contents()
    tag = _digest(contents)
    try:
        return str(api.inspect_image(f"{REPOSITORY}:{tag}")["Id"])
    except ImageNotFound:
        api.import_image_from_data(
            rootfs(contents), repository=REPOSITORY, tag=tag
        )
        return str(api.inspect_image(f"{REPOSITORY}:{tag}")["Id"])


def image_contents() -> Mapping[Path, Path]:
    """The path inside and the path here of every file in the image."""
    programs = [Path(found) for each in PROGRAMS if (found := _which(each))]
    helpers = [
        each for name in HELPERS if (each := Path("/usr/lib", name)).exists()
    ]
    known = _linker_cache()
    named = [known[each] for each in LIBRARIES if each in known]
    files = [Path(each) for each in FILES if Path(each).exists()]
    compiled = [*programs, *helpers, *named, *_interpreter()]
    libraries = _needed(compiled)
    found = [*programs, *helpers, *named, *libraries, *files]
    return {_inside(each): each.resolve() for each in sorted(set(found))}


def rootfs(contents: Mapping[Path, Path]) -> bytes:
    """A tar of the image: nobody's files, and none with another's rights."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as tar:
        for each, mode in FOLDERS.items():
            tar.addfile(_entry(each, tarfile.DIRTYPE, mode))
        for each in LINKS:
            if Path("/", each).is_symlink():
                link = _entry(each, tarfile.SYMTYPE, 0o777)
                link.linkname = str(Path("/", each).readlink())
                tar.addfile(link)
        for inside, here in contents.items():
            about = _entry(str(inside).lstrip("/"), tarfile.REGTYPE, 0o755)
            with here.open("rb") as content:
                about.size = os.fstat(content.fileno()).st_size
                tar.addfile(about, content)
    return written.getvalue()


def _entry(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = kind, mode
    return entry


def _digest(contents: Mapping[Path, Path]) -> str:
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for inside, here in contents.items():
        facts = here.stat()
        said = f"{inside}\0{facts.st_size}\0{facts.st_mtime_ns}\n"
        digest.update(said.encode())
    return digest.hexdigest()[:32]


def _interpreter() -> Iterator[Path]:
    """What is mounted for each job, for the libraries that it needs."""
    base = Path(sysconfig.get_path("stdlib")).resolve()
    yield from sorted((base / "lib-dynload").glob("*.so"))
    library = sysconfig.get_config_var("LIBDIR")
    if library:
        yield from sorted(Path(library).glob("libpython*.so.*"))


def _inside(path: Path) -> Path:
    """Where a file lies in the image: below /usr, whatever led to it."""
    top, *rest = path.parts[1:]
    link = Path("/", top)
    if top in LINKS and link.is_symlink():
        return Path("/") / link.readlink() / Path(*rest)
    return path


def _which(name: str) -> str | None:
    return shutil.which(name, path="/usr/bin:/bin:/usr/local/bin")


def _linker_cache() -> Mapping[str, Path]:
    """The libraries that the host's dynamic linker knows, by name."""
    said = _run("/sbin/ldconfig", "-p")
    found: dict[str, Path] = {}
    for line in said.splitlines():
        name, arrow, path = line.strip().partition(" => ")
        if arrow:
            found.setdefault(name.split(" ")[0], Path(path))
    return found


def _needed(compiled: Iterable[Path]) -> Iterator[Path]:
    """The libraries of these files, and the linker itself."""
    said = _run("/usr/bin/ldd", *map(str, compiled))
    for line in said.splitlines():
        words = line.split()
        path = words[2] if "=>" in words[1:2] and len(words) > 2 else ""
        if line.startswith("\t/"):
            path = words[0]
        if path.startswith(("/lib", "/usr/lib")):
            yield Path(path)


def _run(*command: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 -- the host's own tools
            command, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise SandboxUnavailable(
            f"no image can be made here: {error}"
        ) from error
    return done.stdout
