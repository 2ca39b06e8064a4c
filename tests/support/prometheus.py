"""A real Prometheus, from Debian's package, over targets of ours."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local.environment import HOST, free_port

ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = ROOT / "deploy" / "prometheus"
UP_SECONDS = 30.0

needs_prometheus = pytest.mark.skipif(
    shutil.which("prometheus") is None or shutil.which("promtool") is None,
    reason="Prometheus is not installed (apt-get install prometheus)",
)


class Prometheus:
    """A server that answers queries over HTTP."""

    def __init__(self, port: int) -> None:
        self._url = f"http://{HOST}:{port}"

    def ready(self) -> bool:
        """Whether it answers queries."""
        try:
            with urllib.request.urlopen(f"{self._url}/-/ready") as answer:
                return answer.status == 200
        except OSError:
            return False

    def query(self, expression: str) -> list[float]:
        """The values of an instant query, one per series."""
        words = urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(
            f"{self._url}/api/v1/query?{words}"
        ) as answer:
            found = json.load(answer)
        assert found["status"] == "success", found
        return [float(each["value"][1]) for each in found["data"]["result"]]

    def alertmanagers(self) -> list[str]:
        """Where it sends alerts."""
        with urllib.request.urlopen(
            f"{self._url}/api/v1/alertmanagers"
        ) as answer:
            found = json.load(answer)["data"]["activeAlertmanagers"]
        return [each["url"] for each in found]


@contextmanager
def prometheus(
    folder: Path, targets: Path, *, alertmanagers: Sequence[str] = ()
) -> Iterator[Prometheus]:
    """One that runs our own rules, and asks `targets` every second."""
    shutil.copytree(CONFIGURATION, folder)
    shutil.copytree(targets, folder / "targets")
    (folder / "alertmanagers").mkdir()
    (folder / "alertmanagers" / "here.json").write_text(
        json.dumps([{"targets": list(alertmanagers)}])
    )
    configuration = folder / "prometheus.yml"
    configuration.write_text(
        configuration.read_text().replace("interval: 15s", "interval: 1s")
    )
    port = free_port()
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(
            [
                "prometheus",
                f"--config.file={configuration}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={HOST}:{port}",
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            server = Prometheus(port)
            deadline = time.monotonic() + UP_SECONDS
            while not server.ready():
                assert time.monotonic() < deadline, "Prometheus is not ready"
                assert process.poll() is None, (folder / "log").read_text()
                time.sleep(0.1)
            yield server
        finally:
            process.terminate()
