"""deploy/compose.yml: what it names exists, and nothing is open."""

import re
import shutil
import subprocess

import pytest

from deploy.local.programs import PROCESSES
from deploy.secret_files import write_secrets
from services.verifier_worker.settings import Settings
from tests.support.deployment import (
    DEPLOY,
    DOCKERFILE,
    OURS,
    PINNED,
    answers_at,
    compose,
    extras,
    filled_in,
    images,
    is_command,
    metrics_port,
    scraped,
    targets,
    unknown_variables,
)

WHOLE = compose()
SERVICES = WHOLE["services"]
IMAGES = {name: filled_in(each["image"]) for name, each in SERVICES.items()}
OUR_SERVICES = sorted(name for name in SERVICES if OURS.match(IMAGES[name]))
ONCE = {"migrate", "worker-files", "verifier-files", "miner-agent", "sandbox"}
LASTING = sorted(set(SERVICES) - ONCE)
SOCKET = "/var/run/docker.sock"


def example():
    text = (DEPLOY / "env.example").read_text()
    return dict(
        line.removeprefix("#").split("=", 1)
        for line in text.splitlines()
        if re.match(r"#?[A-Z_]+=", line)
    )


@pytest.mark.parametrize("name", OUR_SERVICES)
def test_a_service_of_ours_is_told_only_what_some_process_reads(name):
    told = SERVICES[name].get("environment", {})
    assert unknown_variables(told) == set()


def test_the_example_names_every_variable_that_compose_asks_for():
    text = "".join(
        (DEPLOY / name).read_text()
        for name in ("compose.yml", "compose.gpu.yml")
    )
    asked = set(re.findall(r"\$\{(\w+)", text))
    told = set(example())
    assert asked - told == set()
    beside = {name for name in told - asked if name.startswith("QUASAR_")}
    assert unknown_variables(beside) == set()
    assert told - asked - beside == {"COMPOSE_PROFILES", "COMPOSE_FILE"}


def test_a_verifier_starts_with_what_the_example_says(monkeypatch):
    """In an image, once the operator has named the sandbox's digest."""
    lines = (DEPLOY / "env.example").read_text().splitlines()
    said = dict(
        line.split("=", 1) for line in lines if line and line[0] != "#"
    )
    assert "workers" in said["COMPOSE_PROFILES"].split(",")
    built = re.findall(r"(QUASAR_ENVIRONMENT)=(\w+)", DOCKERFILE)
    told = SERVICES["verifier-worker"]["environment"]
    for name, value in {**said, **dict(built), **told}.items():
        if name.startswith("QUASAR_") and value:
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("QUASAR_SANDBOX_IMAGE", f"sha256:{'0' * 64}")
    for name in ("QUASAR_REDIS_URL_FILE", "QUASAR_WORKER_SEED_FILE"):
        monkeypatch.delenv(name)
    settings = Settings(worker_name=filled_in(told["QUASAR_WORKER_NAME"]))
    assert settings.environment == "production"
    (folder,) = [
        volume.rsplit(":", 2)[1]
        for volume in map(filled_in, SERVICES["verifier-worker"]["volumes"])
        if said["MODEL"] in volume
    ]
    assert str(settings.reference_model) == folder


@pytest.mark.parametrize("name", OUR_SERVICES)
def test_an_image_of_ours_is_one_that_the_dockerfile_builds(name):
    (service,) = OURS.match(IMAGES[name]).groups()
    builds = {
        IMAGES[each]: SERVICES[each]["build"]
        for each in SERVICES
        if "build" in SERVICES[each]
    }
    build = builds[IMAGES[name]]
    assert (DEPLOY / build["context"] / build["dockerfile"]).is_file()
    assert build["target"] in targets()
    assert build["args"]["EXTRA"] in images() & extras()
    assert service in {build["args"]["EXTRA"], build["target"]}


def test_images_of_others_are_pinned_by_version_and_digest():
    others = {each for each in IMAGES.values() if not OURS.match(each)}
    assert others
    assert {each for each in others if not PINNED.match(each)} == set()


@pytest.mark.parametrize("name", OUR_SERVICES)
def test_a_command_is_one_of_quasars(name):
    if name != "sandbox" and "entrypoint" not in SERVICES[name]:
        assert is_command(SERVICES[name]["command"])


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_container_has_no_right_that_it_does_not_need(name):
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert not service.get("privileged")
    assert "mem_limit" in service
    files = name in {"worker-files", "verifier-files"}
    assert files or service["read_only"] is True
    assert ("user" in service) is (files or name == "broker")
    assert set(service.get("cap_add", ())) <= {
        *("CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID")
    }


@pytest.mark.parametrize("name", LASTING)
def test_what_is_to_last_is_started_again_and_asked_for_its_health(name):
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}


@pytest.mark.parametrize("name", sorted(set(LASTING) & set(OUR_SERVICES)))
def test_a_process_is_asked_where_it_answers(name):
    _, python, script, port, path = SERVICES[name]["healthcheck"]["test"]
    assert python == "python3"
    assert script == "/opt/quasar/healthy.py"
    assert answers_at(path)
    told = SERVICES[name].get("environment", {}).get("QUASAR_PORT")
    assert int(port) == int(metrics_port() if path == "/metrics" else told)


def test_only_the_web_and_grafana_are_published_and_only_here():
    published = {
        name: filled_in(port)
        for name, service in SERVICES.items()
        for port in service.get("ports", ())
    }
    assert published == {
        "web": "127.0.0.1:8000:8000",
        "grafana": "127.0.0.1:3000:3000",
    }


def test_the_database_is_reached_by_the_api_alone():
    reached = {
        name
        for name, each in SERVICES.items()
        if "data" in each.get("networks", ())
    }
    assert reached == {"postgres", "migrate", "web", "recorder", "scheduler"}
    assert SERVICES["postgres"]["networks"] == ["data"]
    inside = {name for name, each in WHOLE["networks"].items() if each}
    assert inside == {"data", "broker", "watch"}


def test_the_engines_socket_is_held_by_who_makes_sandboxes_alone():
    holders = {
        name
        for name, service in SERVICES.items()
        for volume in service.get("volumes", ())
        if SOCKET in volume
    }
    assert holders == {"benchmark-worker", "verifier-worker"}


def test_a_miner_s_container_can_make_no_sandbox_and_his_page_says_so():
    service = SERVICES["miner-agent"]
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    page = (DEPLOY.parent / "docs" / "miners.md").read_text()
    section = page.split("## In a container")[1].split("\n## ")[0]
    assert "**cannot judge**" in section
    for told in re.findall(r"miner-agent \\?\s*(miner \w+)", section):
        assert is_command(told.split())


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_what_a_service_waits_for_runs_where_it_runs(name):
    for other in SERVICES[name].get("depends_on", ()):
        assert SERVICES[other]["profiles"] == SERVICES[name]["profiles"]


def test_every_secret_is_a_file_that_is_made(tmp_path):
    write_secrets(tmp_path, ("benchmark-1",), ("verifier-1",))
    made = {
        f"./secrets/{path.relative_to(tmp_path)}"
        for path in tmp_path.rglob("*")
        if path.is_file()
    }
    named = {filled_in(each["file"]) for each in WHOLE["secrets"].values()}
    assert named == made
    used = {
        each for one in SERVICES.values() for each in one.get("secrets", ())
    }
    assert used == set(WHOLE["secrets"])


def test_prometheus_asks_every_process_where_it_serves():
    port = metrics_port()
    assert scraped() == {f"{name}:{port}": name for name in PROCESSES}
    watched = {
        name
        for name in PROCESSES
        if "watch" in SERVICES[name].get("networks", ())
    }
    assert watched == set(PROCESSES)


def test_what_is_mounted_from_here_is_here():
    for service in SERVICES.values():
        for volume in service.get("volumes", ()):
            source = filled_in(volume).split(":")[0]
            if source.startswith("./") and source not in {
                *("./wallets", "./model"),
            }:
                assert (DEPLOY / source).exists(), source


def test_one_gpu_is_given_by_cdi_to_the_workers_and_to_nobody_else():
    gpu = compose("compose.gpu.yml")["services"]
    assert set(gpu) == {"benchmark-worker", "verifier-worker"}
    for service in gpu.values():
        told = service["environment"]
        assert told["PYTORCH_CUDA_ALLOC_CONF"] == "expandable_segments:True"
        (device,) = service["deploy"]["resources"]["reservations"]["devices"]
        assert set(device) == {"driver", "device_ids", "capabilities"}
        assert device["driver"] == "cdi"
        (named,) = map(filled_in, device["device_ids"])
        assert named == "nvidia.com/gpu=0"
        assert device["capabilities"] == ["gpu"]


def composers():
    """The commands that read compose files here, each with its name."""
    found = []
    if shutil.which("docker-compose"):
        found.append(pytest.param(["docker-compose"], id="docker-compose"))
    version = ["docker", "compose", "version"]
    if (
        shutil.which("docker")
        and not subprocess.run(
            version, check=False, capture_output=True
        ).returncode
    ):
        found.append(pytest.param(["docker", "compose"], id="docker compose"))
    return found or [
        pytest.param(
            None,
            marks=pytest.mark.skip(
                "docker-compose: it is not installed (Debian: docker-compose)"
            ),
        )
    ]


@pytest.mark.parametrize("command", composers())
@pytest.mark.parametrize(
    "files", [("compose.yml",), ("compose.yml", "compose.gpu.yml")], ids=len
)
def test_compose_itself_takes_the_files(command, files, tmp_path):
    for name in files:
        shutil.copy(DEPLOY / name, tmp_path)
    shutil.copy(DEPLOY / "env.example", tmp_path / ".env")
    words = [word for name in files for word in ("-f", str(tmp_path / name))]
    done = subprocess.run(
        [*command, *words, "config", "--quiet"],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
