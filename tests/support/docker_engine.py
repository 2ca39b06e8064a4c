"""A Docker engine of the tests' own, shared by all workers of a session."""

import fcntl
import os
import shutil
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from quasar_core.execution.docker import DockerSandbox

SEARCHED = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
PATIENCE_SECONDS = 60

# The engine lives as long as somebody holds the lock, whatever ends him.
ENGINE = """
cd /
dockerd --data-root "$1/data" --exec-root "$1/exec" --pidfile "$1/pid" \
    --host "unix://$1/docker.sock" --log-level warn --bridge none \
    --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false &
engine=$!
exec 9> "$1/users"
flock 9
kill $engine
wait $engine
rm -rf "$1/data" "$1/exec"
"""


def required(backend):
    """Whether a host without that back end fails, as in CI."""
    return backend in os.environ.get("QUASAR_REQUIRE_SANDBOX", "")


def missing():
    """Why no engine can be started here, or None."""
    if os.geteuid() != 0:
        return "Docker: only root can start an engine for the tests"
    for program in ("dockerd", "flock"):
        if shutil.which(program, path=SEARCHED) is None:
            return f"Docker: {program} is not installed"
    return None


@contextmanager
def engine_in(folder):
    """The address of an engine that is shared by all who name `folder`."""
    folder.mkdir(exist_ok=True)
    with (folder / "users").open("a") as users:
        with (folder / "start").open("a") as start:
            fcntl.flock(start, fcntl.LOCK_EX)
            fcntl.flock(users, fcntl.LOCK_SH)
            host = f"unix://{folder}/docker.sock"
            if not DockerSandbox(host=host).answers():
                _start(folder, host)
        yield host


def _start(folder, host):
    log = folder / "log"
    with log.open("ab") as written:
        engine = subprocess.Popen(
            ["/bin/sh", "-c", ENGINE, "sh", str(folder)],
            env={"PATH": SEARCHED},
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=written,
            start_new_session=True,
        )
    deadline = time.monotonic() + PATIENCE_SECONDS
    sandbox = DockerSandbox(host=host)
    while not sandbox.answers():
        gone = engine.poll() is not None or "failed to start" in _read(log)
        if gone or time.monotonic() > deadline:
            raise AssertionError(f"no engine starts:\n{_read(log)[-2000:]}")
        time.sleep(0.05)
    # Its watchman is nobody's child any more.
    engine.returncode = 0


def _read(path):
    return path.read_text(errors="replace")


@pytest.fixture(scope="session")
def docker_engine(tmp_path_factory):
    """The address of the session's engine; skipped by name without root.

    On a required host (CI names docker in QUASAR_REQUIRE_SANDBOX) a missing
    engine fails.
    """
    reason = missing()
    if reason is not None:
        if required("docker"):
            pytest.fail(reason)
        pytest.skip(reason)
    folder = Path(tmp_path_factory.getbasetemp())
    if os.environ.get("PYTEST_XDIST_WORKER"):
        folder = folder.parent
    with engine_in(folder / "docker") as host:
        yield host
