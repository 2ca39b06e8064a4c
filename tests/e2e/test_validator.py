"""`quasar validator run --mock`: a validator's side, and nothing outside."""

import json
import os
import shutil
import signal
import socket

import pytest

from tests.support.platform import Command, processes_in
from tests.support.waiting import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

ALONE = 'ip link set lo up && exec "$0" "$@"'
"""In a network of its own, where there is nobody but this command."""


@pytest.mark.skipif(
    os.geteuid() != 0 or not (shutil.which("unshare") and shutil.which("ip")),
    reason="only root gives a process a network of its own",
)
def test_a_validator_plays_on_a_machine_that_reaches_nobody(tmp_path):
    folder = tmp_path / "validator"
    command = Command(
        tmp_path / "log",
        *("validator", "run", "--mock", "--directory", str(folder)),
        before=("unshare", "--net", "sh", "-c", ALONE),
    )
    try:
        command.wait_for("To take part", 240)
        log = folder / "logs" / "weight-setter.log"
        eventually(
            lambda: "no round is final yet" in log.read_text(),
            "the setter's first word about the API",
            120,
        )
        told = [json.loads(line) for line in log.read_text().splitlines()]
        assert told[0]["event"] == "weight_setter.started"
        api = command.output().split("http://")[1].split()[0]
        host, port = api.split(":")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((host, int(port)), 5)
        assert command.end(signal.SIGINT, 60) == 0
    finally:
        command.kill()
    assert processes_in(folder) == {}
