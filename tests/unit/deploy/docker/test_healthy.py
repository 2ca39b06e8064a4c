"""What a container's health check asks."""

import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from deploy.docker import healthy
from deploy.local.environment import free_port


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/well" else 503)
        self.end_headers()

    def log_message(self, *arguments):
        """Say nothing."""


@pytest.fixture
def port():
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_200_is_health_and_nothing_else_is(port):
    assert healthy.answers(port, "/well") is True
    assert healthy.answers(port, "/ill") is False
    assert healthy.answers(free_port(), "/well") is False


def test_the_exit_code_says_it(port):
    script = Path(healthy.__file__)

    def code(path):
        words = [sys.executable, str(script), str(port), path]
        return subprocess.run(words, check=False).returncode

    assert (code("/well"), code("/ill")) == (0, 1)
