"""The files of a deployment, read as what they mean."""

import json
import re
import tomllib
from pathlib import Path

import yaml

from deploy.reference.variables import sections
from services.api import health
from services.cli import COMMANDS, load

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "docker" / "Dockerfile").read_text()
PINNED = re.compile(
    r"^[a-z0-9./-]+:[a-z0-9.-]*\d[a-z0-9.-]*@sha256:[0-9a-f]{64}$"
)
OURS = re.compile(r"^quasar-([a-z-]+):local$")
NOT_OURS = {"PYTORCH_CUDA_ALLOC_CONF", "TMPDIR"}
"""What PyTorch and Python's tempfile read."""


def compose(name="compose.yml"):
    """A compose file, with its anchors followed."""
    return yaml.safe_load((DEPLOY / name).read_text())


def manifests():
    """Every Kubernetes object of ours."""
    return [
        each
        for path in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
        for each in yaml.safe_load_all(path.read_text())
    ]


def filled_in(text):
    """What compose makes of `${NAME:-default}` where nothing is set."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", str(text))


def extras():
    """The extras that a distribution of ours has."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return set(project["optional-dependencies"])


def images():
    """The services that system.sh, and so the Dockerfile, can build."""
    text = (DEPLOY / "docker" / "system.sh").read_text()
    cases = re.findall(r"^  ([a-z-]+(?: \| [a-z-]+)*)\)$", text, re.MULTILINE)
    return {name for each in cases for name in each.split(" | ")}


def targets():
    """The stages of the Dockerfile."""
    return set(re.findall(r"^FROM \S+ AS (\S+)$", DOCKERFILE, re.MULTILINE))


def metrics_port():
    """Where an image of ours serves its metrics."""
    return int(re.findall(r"QUASAR_METRICS_PORT=(\d+)", DOCKERFILE)[0])


def unknown_variables(names):
    """Those of `names` that no process of ours reads."""
    known, secret = set(), set()
    for section in sections():
        for each in section.variables:
            known |= {each.name, *each.also}
            if each.secret:
                secret |= {each.name, *each.also}
    known |= {f"{name}_FILE" for name in secret} | NOT_OURS
    return set(names) - known


def answers_at(path):
    """Whether one of our processes answers there."""
    routes = {route.path for route in health.router.routes}
    return path in routes


def is_command(words):
    """Whether `quasar WORDS` is a command."""
    first, *rest = words
    found = load(first, COMMANDS[first])
    for word in (each for each in rest if not each.startswith("-")):
        found = found.commands.get(word)
        if found is None:
            return False
    return True


def scraped():
    """The label `process` of each target in compose's network, by address."""
    groups = json.loads((DEPLOY / "prometheus" / "compose.json").read_text())
    return {
        target: group["labels"]["process"]
        for group in groups
        for target in group["targets"]
    }
