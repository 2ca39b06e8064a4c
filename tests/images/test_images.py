"""Each image holds its own extra and nothing else, and starts as nobody."""

import json
import re
from importlib import metadata

import pytest
from packaging.requirements import Requirement

from tests.images.base import run_docker

ENTRIES = {
    "api": (
        *("services.api.web", "services.api.recorder"),
        *("services.api.scheduler", "services.api.cli"),
        *("services.api.db.migrate", "deploy.secret_files", "psycopg"),
    ),
    "benchmark-worker": (
        *("services.benchmark_worker.app", "quasar_core.judge.__main__"),
        *("torch", "triton", "docker", "fla"),
    ),
    "verifier-worker": (
        *("services.verifier_worker.app", "quasar_core.judge.logits"),
        *("torch", "transformers", "safetensors"),
    ),
    "weight-setter": (
        *("services.weight_setter.app", "services.weight_setter.cli"),
        *("bittensor", "httpx2"),
    ),
    "miner-agent": (
        *("services.miner_agent.cli", "services.miner_agent.agent.loop"),
        *("services.miner_agent.judging.cli", "torch", "sqlalchemy"),
    ),
}
COMMANDS = {
    "api": ("api", "--help"),
    "benchmark-worker": ("worker", "--help"),
    "verifier-worker": ("verifier", "--help"),
    "weight-setter": ("weights", "--help"),
    "miner-agent": ("miner", "--help"),
}
STRANGERS = {
    "api": {"torch", "triton", "transformers", "docker", "numpy"},
    "benchmark-worker": {"fastapi", "sqlalchemy", "transformers", "httpx2"},
    "verifier-worker": {"fastapi", "sqlalchemy", "psycopg", "uvicorn"},
    "weight-setter": {"fastapi", "sqlalchemy", "torch", "docker", "psycopg"},
    "miner-agent": {"fastapi", "psycopg", "transformers", "uvicorn"},
}
NOWHERE = {"pip", "pytest", "wheel"}


def normalised(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def closure(extra):
    """Every distribution that `quasar-subnet[extra]` needs, by this machine.

    What is not for this platform, or for another extra, is not needed.
    """
    waiting, found = [("quasar-subnet", extra)], set()
    while waiting:
        name, chosen = waiting.pop()
        if (name, chosen) in found:
            continue
        found.add((name, chosen))
        for line in metadata.requires(name) or ():
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate(
                {"extra": chosen}
            ):
                waiting += [
                    (normalised(needed.name), one)
                    for one in {"", *needed.extras}
                ]
    return {name for name, _ in found}


def said(host, image, program, *options):
    """What a Python program in an image prints, read as JSON."""
    return json.loads(
        run_docker(
            host,
            *("run", "--rm", "--network", "none", "--read-only"),
            *("--cap-drop", "ALL", "--tmpfs", "/tmp", *options),
            *("--entrypoint", "python3", image, "-c", program),
        )
    )


def test_an_image_holds_its_own_extra_and_nothing_else(
    docker_engine, image_of, extra
):
    program = (
        "import json, importlib.metadata as m;"
        "print(json.dumps([d.name for d in m.distributions()]))"
    )
    found = said(docker_engine, image_of(extra), program)
    names = {normalised(name) for name in found}
    assert names == closure(extra)
    assert names & (STRANGERS[extra] | NOWHERE) == set()


def test_what_an_image_starts_can_be_imported_in_it(
    docker_engine, image_of, extra
):
    program = (
        "import importlib, json, sys;"
        f"[importlib.import_module(each) for each in {ENTRIES[extra]!r}];"
        "print(json.dumps(sorted({each.partition('.')[0]"
        " for each in sys.modules})))"
    )
    loaded = set(said(docker_engine, image_of(extra), program))
    assert {each.partition(".")[0] for each in ENTRIES[extra]} <= loaded


def test_an_image_answers_its_own_command(docker_engine, image_of, extra):
    words = ("run", "--rm", "--network", "none", "--read-only")
    told = run_docker(docker_engine, *words, image_of(extra), *COMMANDS[extra])
    assert f"quasar {COMMANDS[extra][0]}" in told


def test_an_image_runs_as_nobody_and_can_write_nothing_of_its_own(
    docker_engine, image_of, extra
):
    program = (
        "import json, os, sys, sysconfig;"
        "print(json.dumps({'uid': os.getuid(), 'groups': os.getgroups(),"
        " 'writable': [each for each in (sys.prefix, sys.executable,"
        " sysconfig.get_path('purelib'), '/opt/quasar', '/etc', '/usr')"
        " if os.access(each, os.W_OK)]}))"
    )
    found = json.loads(
        run_docker(
            docker_engine,
            *("run", "--rm", "--network", "none"),
            *("--entrypoint", "python3", image_of(extra), "-c", program),
        )
    )
    assert found == {"uid": 10_001, "groups": [10_001], "writable": []}


def test_no_secret_and_no_wheel_lies_in_a_layer(
    docker_engine, image_of, extra
):
    program = (
        "import json, pathlib;"
        "print(json.dumps([str(each) for top in"
        " ('/opt', '/src', '/wheels', '/var', '/home', '/root')"
        " for each in pathlib.Path(top).rglob('*')"
        " if each.parent.name != '_bundled'"  # Python's own pip
        " and (each.suffix == '.whl'"
        " or each.name in ('.env', 'redis_url', '.git'))]))"
    )
    assert said(docker_engine, image_of(extra), program, "--user", "0") == []
    told = run_docker(docker_engine, "history", "--no-trunc", image_of(extra))
    assert "secret" not in told


@pytest.mark.parametrize("wrong", ["nothing", ""])
def test_an_unknown_extra_ends_the_build(docker_engine, base, wrong, tmp_path):
    from tests.images.base import docker_build
    from tests.support.deployment import DEPLOY

    folder = tmp_path / "deploy" / "docker"
    folder.mkdir(parents=True)
    for name in ("Dockerfile", "system.sh"):
        (folder / name).write_text((DEPLOY / "docker" / name).read_text())
    with pytest.raises(AssertionError, match="no extra called"):
        docker_build(
            docker_engine,
            tmp_path,
            folder / "Dockerfile",
            "quasar-wrong:local",
            {"BASE": base, "EXTRA": wrong},
            "system",
        )
