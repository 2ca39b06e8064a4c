"""Without root: user namespaces, and limits as far as rlimits reach."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

PROGRAM = """
import json, os, socket, sys, tempfile
from pathlib import Path
from quasar_core.execution.limits import MIB, Limits
from quasar_core.execution.sandbox import SandboxUnavailable
from tests.support.sandboxes import SMALL, python_job, sandbox_in, shell_job

told = {"uid": os.getuid()}
with tempfile.TemporaryDirectory() as folder:
    strict = sandbox_in(Path(folder), use_cgroups=False)
    try:
        strict.preflight()
    except SandboxUnavailable as error:
        told["refused"] = str(error)
    sandbox = sandbox_in(Path(folder), use_cgroups=False, allow_degraded=True)
    isolation = sandbox.preflight()
    told["degraded"] = isolation.degraded
    told["proved"] = dict(isolation.proved)
    outcome = sandbox.start(shell_job("id -u; cat /proc/1/environ")).wait()
    told["stdout"] = outcome.stdout.decode()
    outcome = sandbox.start(python_job("kept = b'1' * 10**9")).wait()
    told["hog"] = [outcome.ending, outcome.stderr.decode()[-12:].strip()]
    with sandbox.start(shell_job("while :; do echo x; done")) as running:
        while running._supervision.stdout._sink.total == 0:
            pass
        running.freeze()
        read = running._supervision.stdout._sink
        before = read.total
        while True:
            if read.total == before:
                break
            before = read.total
        running.thaw()
        while read.total == before:
            pass
        told["killed"] = running.kill().ending
    told["left"] = list(map(str, Path(folder).glob("leases/*.lease")))
print(json.dumps(told))
"""


def opened_up(path: Path) -> list[str]:
    """Mounts that let anybody reach a path below a private folder."""
    private = [
        parent
        for parent in reversed(path.parents)
        if not parent.stat().st_mode & 0o001
    ]
    if not private:
        return []
    between = [
        parent
        for parent in reversed(path.parents)
        if parent.is_relative_to(private[0]) and parent != private[0]
    ]
    made = (("--perms", "0755", "--dir", str(parent)) for parent in between)
    return [
        *("--perms", "0755", "--tmpfs", str(private[0])),
        *(word for each in made for word in each),
        *("--ro-bind", str(path), str(path)),
    ]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become others")
@pytest.mark.skipif(not shutil.which("bwrap"), reason="no bubblewrap")
def test_a_user_without_root_gets_a_degraded_sandbox_that_still_isolates():
    done = subprocess.run(
        [
            *("bwrap", "--dev-bind", "/", "/"),
            *opened_up(Path(sys.base_prefix)),
            *("--", "setpriv", "--reuid", "12345", "--regid", "12345"),
            *("--clear-groups", sys.executable, "-c", PROGRAM),
        ],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PLANTED_SECRET": "hunter2"},
        capture_output=True,
        check=False,
        timeout=60,
    )
    if b"user namespaces" in done.stderr:
        pytest.skip("this host allows no user namespaces")
    assert done.returncode == 0, done.stderr.decode()
    told = json.loads(done.stdout)
    assert told["uid"] == 12345
    assert "systemd-run" in told["refused"]
    assert told["degraded"] is True
    assert [name for name, held in told["proved"].items() if not held] == []
    # The payload may read its launcher's environment here: it is empty, but
    # for what the shell adds.
    assert told["stdout"] == "65534\nPWD=/\0"
    assert told["hog"] == ["nonzero", "MemoryError"]
    assert told["killed"] == "killed"
    assert told["left"] == []
