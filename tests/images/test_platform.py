"""deploy/compose.yml, started whole: healthy together, and stopped clean."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from quasar_core.chain.local import LocalChain
from quasar_core.chain.local_state import Genesis
from quasar_core.chain.wallets import create_wallet
from quasar_core.client.api import QuasarClient

from deploy.local.environment import HOST, free_port
from deploy.local.miners.forks import make_fork
from deploy.local.miners.kinds import kind_named
from deploy.secret_files import USER
from tests.images.base import HERE, run_docker
from tests.images.conftest import EXTRAS
from tests.support.deployment import DEPLOY, compose
from tests.support.platform import quasar
from tests.support.waiting import eventually

FILES = Path("/opt/quasar")
STATE = Path("/var/lib/quasar")
PATIENCE_SECONDS = 300
NETUID = 24
LENGTH = 1_024
COMPOSE = (
    ("docker-compose",)
    if shutil.which("docker-compose")
    else ("docker", "compose")
)
DOCTOR = ("quasar", "worker", "doctor", "--json")
ONCE = {"migrate", "worker-files", "verifier-files"}
WORKERS = {"benchmark-worker", "verifier-worker"}
RUNNING = ("api", "weight-setter", "benchmark-worker", "verifier-worker")

pytestmark = [
    pytest.mark.timeout(1_800),
    pytest.mark.skipif(
        not set(RUNNING) <= set(EXTRAS),
        reason="QUASAR_IMAGES leaves out what the platform runs",
    ),
]


class Project:
    """One compose project in a folder of its own."""

    def __init__(self, folder, host):
        self.folder = folder
        self.host = host
        self.port = free_port()

    def __call__(self, *words):
        return subprocess.run(
            [
                *(*COMPOSE, "--project-name", "quasar-images"),
                *("-f", "compose.yml", "-f", "images.yml", *words),
            ],
            cwd=self.folder,
            env={**os.environ, "DOCKER_HOST": self.host},
            check=False,
            capture_output=True,
            text=True,
        )

    def states(self):
        """The state of each service's container."""
        listed = run_docker(
            self.host,
            *("ps", "--all", "--quiet", "--no-trunc", "--filter"),
            "label=com.docker.compose.project=quasar-images",
        ).split()
        found = json.loads(run_docker(self.host, "inspect", *listed))
        label = "com.docker.compose.service"
        return {
            each["Config"]["Labels"][label]: each["State"] for each in found
        }

    def health(self):
        """What the engine says of each that is to last."""
        return {
            name: state.get("Health", {}).get("Status", state["Status"])
            for name, state in self.states().items()
            if name not in ONCE
        }

    def logs(self):
        """The last that everybody said, for whoever reads a failure."""
        return self("logs", "--no-color", "--tail", "15").stdout


def settle(project, sandbox):
    """A folder as an operator has it, on a chain in a file."""
    folder, chain = project.folder, project.folder / "chain"
    chain.mkdir()
    for name in ("compose.yml", "valkey.conf"):
        shutil.copy(DEPLOY / name, folder)
    shutil.copy(HERE / "compose.yml", folder / "images.yml")
    wallets = folder / "wallets"
    owner = create_wallet("owner", "default", wallets)
    validator = create_wallet("validator", "default", wallets)
    local = LocalChain.create(
        chain / "chain.json",
        Genesis(
            netuid=NETUID,
            block_seconds=1,
            tempo=5,
            weights_rate_limit=5,
            owner_hotkey=owner.hotkey,
        ),
    )
    miner = create_wallet("miner", "default", wallets)
    for each in (owner, validator, miner):
        coldkey = each.coldkey or each.hotkey
        local.register(each.hotkey, coldkey, validator_permit=True)
    worker_hotkeys = make_secrets(project)
    for top in (chain, wallets):
        for path in (top, *top.rglob("*")):
            os.chown(path, USER, USER)
    socket = project.host.removeprefix("unix://")
    told = {
        "COMPOSE_PROFILES": "api,workers,weights",
        "PLAYED": folder,
        "WALLETS": wallets,
        "WEB_ADDRESS": f"{HOST}:{project.port}",
        "DOCKER_SOCKET": socket,
        "DOCKER_GROUP": Path(socket).stat().st_gid,
        "WORKER_CPUS": os.cpu_count(),
        "WORKER_MEMORY": "6g",
        "QUASAR_ENVIRONMENT": "local",
        "QUASAR_SANDBOX_IMAGE": sandbox,
        "QUASAR_GIT_SCHEMES": """'["file"]'""",
        "QUASAR_REQUESTS_PER_MINUTE": 0,
        "QUASAR_CANARY_SECONDS": 0,
        "QUASAR_LEAGUE_UNIT": LENGTH // 2,
        "QUASAR_MAX_SEQUENCE_LENGTH": 10 * LENGTH,
        "QUASAR_CHAIN_URL": "local:///chain/chain.json",
        "QUASAR_NETUID": NETUID,
        "QUASAR_API_URL": "http://web:8000",
        "QUASAR_WALLET_NAME": "validator",
        "QUASAR_RECEIVER_HOTKEY": owner.hotkey,
    }
    lines = [f"{name}={value}" for name, value in told.items()]
    (folder / ".env").write_text("\n".join([*lines, worker_hotkeys]))


def make_secrets(project):
    """The secrets, as an operator makes them: the line that is for .env."""
    return run_docker(
        project.host,
        *("run", "--rm", "--user", "0", "--network", "none"),
        *("--volume", f"{project.folder}/secrets:/secrets"),
        *("--entrypoint", "python3", "quasar-api:local"),
        *("-m", "deploy.secret_files", "/secrets"),
    ).strip()


@pytest.fixture(scope="module")
def platform(docker_engine, image_of, stores, tmp_path_factory):
    """The whole platform, up; ended, with all that it made, afterwards."""
    for place in (FILES, STATE):
        if place.exists():
            pytest.skip(f"{place}: another deployment lies there")
    for extra in RUNNING:
        image_of(extra)
    name = image_of("benchmark-worker", "sandbox")
    identity = run_docker(
        docker_engine, "inspect", "--format", "{{.Id}}", name
    )
    project = Project(tmp_path_factory.mktemp("platform"), docker_engine)
    settle(project, identity.strip())
    try:
        done = project("up", "--detach", "--no-build")
        assert done.returncode == 0, done.stderr + project.logs()
        yield project
    finally:
        project("down", "--volumes")
        for place in (FILES, STATE):
            shutil.rmtree(place, ignore_errors=True)


def test_all_become_healthy_together(platform):
    try:
        eventually(
            lambda: set(platform.health().values()) == {"healthy"},
            "health",
            PATIENCE_SECONDS,
        )
    except AssertionError as fault:
        told = f"{platform.health()}\n{platform.logs()}"
        raise AssertionError(told) from fault
    services = compose()["services"]
    assert set(platform.health()) == {
        name
        for name, each in services.items()
        if each["profiles"][0] in {"api", "workers", "weights"}
        and name not in ONCE
    }
    assert {platform.states()[name]["ExitCode"] for name in ONCE} == {0}


def test_both_workers_are_heard_through_broker_recorder_and_web(platform):
    with QuasarClient(f"http://{HOST}:{platform.port}") as client:
        eventually(
            lambda: {worker.role for worker in client.stats().workers}
            == {"benchmark", "verifier"},
            "a worker's word",
            PATIENCE_SECONDS,
        )
        assert client.current_round().round_number == 1


def test_the_weight_setter_reads_rounds_from_the_web(platform):
    eventually(
        lambda: "no round is final yet"
        in platform("logs", "weight-setter").stdout,
        "a turn",
        PATIENCE_SECONDS,
    )


def test_a_worker_proves_its_sandbox_beside_itself(platform):
    told = platform("exec", "-T", "benchmark-worker", *DOCTOR)
    found = json.loads(told.stdout)
    named = {each["name"]: each for each in found["checks"]}
    assert named["sandbox"]["ok"], told.stdout
    assert named["sandbox"]["detail"].startswith("docker: ")


def test_a_fork_is_judged_and_verified_in_sandboxes_beside_workers(platform):
    fork = make_fork(STATE / "forks" / "first", kind_named("honest_slow"))
    api = f"http://{HOST}:{platform.port}"
    sent = quasar(
        *("miner", "submit", "--repo-path", str(fork.path), "--json"),
        *("--seq-len", str(LENGTH), "--fork-url", fork.url),
        *("--api-url", api, "--netuid", str(NETUID)),
        *("--chain-url", f"local://{platform.folder}/chain/chain.json"),
        *("--wallet-path", str(platform.folder / "wallets")),
    )
    assert sent.returncode == 0, sent.stdout + sent.stderr
    identity = json.loads(sent.stdout)["submission_id"]
    with QuasarClient(api) as client:
        seen = eventually(
            lambda: ended(client.submission(identity)),
            "a verdict",
            2 * PATIENCE_SECONDS,
        )
    assert seen.status == "scored", f"{seen}\n{platform.logs()}"


def ended(view):
    """A submission whose story is at its end, or None."""
    going_on = {"queued", "benchmarking", "verifying"}
    return None if view.status in going_on else view


def test_the_database_is_backed_up_from_the_api_s_image(platform):
    done = platform(
        *("exec", "-T", "web", "quasar", "admin", "backup", "/tmp/b.dump")
    )
    assert done.returncode == 0, done.stderr
    assert "written: /tmp/b.dump" in done.stdout


def test_all_stop_when_they_are_told_to(platform):
    done = platform("stop", "--timeout", "120")
    assert done.returncode == 0, done.stderr
    ended = {
        name: state["ExitCode"]
        for name, state in platform.states().items()
        if name not in {"postgres", "broker"}
    }
    assert set(ended.values()) == {0}, ended
