"""Fixtures: the images, built as an operator builds them, in their engine.

QUASAR_IMAGES names the services to build, all of them unless it does;
QUASAR_IMAGE_WHEELS a folder that keeps what pip downloads.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.images.base import (
    docker_build,
    make_base,
    make_stores,
    run_docker,
)
from tests.support.deployment import ROOT
from tests.support.docker_engine import docker_engine

__all__ = ["docker_engine"]

EXTRAS = tuple(
    os.environ.get(
        "QUASAR_IMAGES",
        "api weight-setter benchmark-worker verifier-worker miner-agent",
    ).split()
)
SMALL = {"api", "weight-setter"}
LARGE_WHEELS = (
    *("torch-", "triton-", "numpy-", "transformers-", "tokenizers-"),
    *("fla_core-", "sympy-", "networkx-", "hf_xet-", "safetensors-"),
)
NO_INDEX = "--no-index --find-links /wheels"


def pytest_generate_tests(metafunc):
    """Each service of QUASAR_IMAGES, for whoever asks for one."""
    if "extra" in metafunc.fixturenames:
        metafunc.parametrize("extra", EXTRAS)


@pytest.fixture(scope="session")
def wheels(tmp_path_factory):
    """What the images install, and what builds our own wheel."""
    named = os.environ.get("QUASAR_IMAGE_WHEELS")
    folder = Path(named) if named else tmp_path_factory.mktemp("wheels")
    folder.mkdir(parents=True, exist_ok=True)
    if not any(folder.iterdir()):
        subprocess.run(
            [
                *(sys.executable, "-m", "pip", "download", "--quiet"),
                *("--dest", str(folder), "--constraint", "constraints.txt"),
                *("hatchling>=1.27", f".[{','.join(EXTRAS)}]"),
            ],
            cwd=ROOT,
            check=True,
        )
    return folder


@pytest.fixture(scope="session")
def base(docker_engine):
    """The base image, from this machine's own files."""
    return make_base(docker_engine)


@pytest.fixture(scope="session")
def stores(docker_engine):
    """What stands in for the images of the database and the broker."""
    return make_stores(docker_engine)


@pytest.fixture(scope="session")
def image_of(docker_engine, base, wheels, tmp_path_factory):
    """`image_of(extra, target="service")`: its name, built where missing."""
    built = {}

    def build(extra, target="service"):
        if (extra, target) not in built:
            name = extra if target == "service" else target
            context = tmp_path_factory.mktemp(name)
            fill(context, wheels, small=extra in SMALL)
            tag = f"quasar-{name}:local"
            docker_build(
                docker_engine,
                context,
                context / "deploy" / "docker" / "Dockerfile",
                tag,
                {"BASE": base, "EXTRA": extra, "PIP_ARGUMENTS": NO_INDEX},
                target,
            )
            shutil.rmtree(context)
            run_docker(docker_engine, "image", "prune", "--force")
            built[extra, target] = tag
        return built[extra, target]

    return build


def fill(context, wheels, *, small):
    """A context as a checkout is one, and the wheels where they belong."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    for name in listed:
        if (ROOT / name).is_file():
            (context / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, context / name)
    # What must never reach an image lies where an operator has it.
    (context / "deploy" / "secrets").mkdir()
    for name in ("deploy/.env", "deploy/secrets/redis_url", ".env"):
        (context / name).write_text("not for an image")
    for wheel in wheels.iterdir():
        if not (small and wheel.name.startswith(LARGE_WHEELS)):
            os.link(wheel, context / "deploy/docker/wheels" / wheel.name)
