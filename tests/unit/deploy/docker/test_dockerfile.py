"""The Dockerfile: what is pinned, who runs, and what may reach a layer."""

import re
import subprocess

import pytest

from tests.support.deployment import (
    DEPLOY,
    DOCKERFILE,
    PINNED,
    ROOT,
    extras,
    images,
    targets,
    unknown_variables,
)

SERVICES = {
    *("api", "benchmark-worker", "verifier-worker", "weight-setter"),
    "miner-agent",
}


def test_each_service_has_an_image_and_an_extra():
    assert images() == SERVICES
    assert extras() >= SERVICES
    assert targets() >= {"service", "sandbox"}


def test_the_base_is_pinned_and_everything_stands_on_it():
    (base,) = re.findall(r"^ARG BASE=(\S+)$", DOCKERFILE, re.MULTILINE)
    assert PINNED.match(base)
    stands_on = set(re.findall(r"^FROM (\S+) AS", DOCKERFILE, re.MULTILINE))
    assert stands_on == {"${BASE}", "system", "scratch"}


def test_a_service_runs_as_nobody_and_reads_known_settings():
    service = DOCKERFILE.partition("AS service\n")[2].partition("FROM ")[0]
    assert "\nUSER 10001:10001\n" in service
    told = re.findall(r"^(?:ENV | +)(QUASAR_\w+)=", service, re.MULTILINE)
    assert told
    assert unknown_variables(told) == set()
    assert "QUASAR_ENVIRONMENT=production" in service


@pytest.mark.parametrize("name", ["system.sh", "lay_out.sh"])
def test_a_script_is_one_that_a_plain_shell_reads(name):
    path = DEPLOY / "docker" / name
    done = subprocess.run(
        ["sh", "-n", str(path)], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_only_what_is_named_reaches_a_build():
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    kept = [line for line in lines if line and not line.startswith("#")]
    assert kept[0] == "*"
    let_in = {line[1:] for line in kept if line.startswith("!")}
    copied = {
        word.split("/")[0]
        for line in re.findall(
            r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE
        )
        for word in line.split()[:-1]
    }
    assert let_in == copied
    assert {"deploy/.env", "deploy/secrets", "deploy/wallets"} <= set(kept)


def test_what_an_operator_keeps_here_is_never_committed():
    kept = [
        *("deploy/.env", "deploy/secrets/redis_url", "deploy/wallets/x"),
        "deploy/docker/wheels/torch.whl",
    ]
    done = subprocess.run(
        ["git", "check-ignore", *kept],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == kept
