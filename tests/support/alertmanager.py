"""A real Alertmanager, from Debian's package, over our configuration."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import Queue
from threading import Thread

import pytest

from deploy.local.environment import HOST, free_port
from tests.support.deployment import DEPLOY

CONFIGURATION = DEPLOY / "alertmanager" / "alertmanager.yml"
SECRET = "/run/secrets/alert_webhook_url"
UP_SECONDS = 30.0
SERVER = shutil.which("prometheus-alertmanager") or shutil.which(
    "alertmanager"
)

needs_alertmanager = pytest.mark.skipif(
    SERVER is None or shutil.which("amtool") is None,
    reason=(
        "Alertmanager is not installed (apt-get install"
        " prometheus-alertmanager)"
    ),
)


def configured(folder: Path, url: str) -> Path:
    """Our configuration, with the secret's file in `folder`.

    Before 0.26 a webhook had no `url_file`: there the URL stands in its
    place.
    """
    secret = folder / "alert_webhook_url"
    secret.write_text(url + "\n")
    told = CONFIGURATION.read_text()
    assert told.count(f"url_file: {SECRET}") == 1
    if _release() < (0, 26):
        told = told.replace(f"url_file: {SECRET}", f"url: {url}")
    path = folder / "alertmanager.yml"
    path.write_text(
        told.replace(SECRET, str(secret)).replace(
            "group_wait: 30s", "group_wait: 1s"
        )
    )
    return path


@contextmanager
def alertmanager(folder: Path, url: str) -> Iterator[str]:
    """One that tells `url` of alerts, and where it answers: HOST:PORT."""
    configuration = configured(folder, url)
    address = f"{HOST}:{free_port()}"
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(
            [
                str(SERVER),
                f"--config.file={configuration}",
                f"--storage.path={folder / 'data'}",
                "--cluster.listen-address=",
                f"--web.listen-address={address}",
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            deadline = time.monotonic() + UP_SECONDS
            while not _ready(address):
                assert time.monotonic() < deadline, "Alertmanager isn't ready"
                assert process.poll() is None, (folder / "log").read_text()
                time.sleep(0.1)
            yield address
        finally:
            process.terminate()


def fire(address: str, *alerts: dict[str, str]) -> None:
    """Tell an Alertmanager that alerts with these labels fire."""
    request = urllib.request.Request(
        f"http://{address}/api/v2/alerts",
        json.dumps([{"labels": labels} for labels in alerts]).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200


@contextmanager
def receiver() -> Iterator[tuple[str, Queue]]:
    """A webhook's URL, and the messages that it was sent."""
    told: Queue = Queue()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            length = int(self.headers["Content-Length"])
            told.put(json.loads(self.rfile.read(length)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer((HOST, 0), Receiver) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://{HOST}:{server.server_port}/secret", told
        finally:
            server.shutdown()
            thread.join()


def _ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}/-/ready") as answer:
            return answer.status == 200
    except OSError:
        return False


def _release() -> tuple[int, int]:
    told = subprocess.run(
        ["amtool", "--version"], check=True, capture_output=True, text=True
    )
    major, minor = re.findall(
        r"version (\d+)\.(\d+)", told.stdout + told.stderr
    )[0]
    return int(major), int(minor)
