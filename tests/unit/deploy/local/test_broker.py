"""The broker of a local stack: up, and open only to who knows the word."""

import stat

import pytest
from quasar_core.messaging.bus import Bus, BusUnavailable

from deploy.local.broker import broker
from deploy.local.processes import Processes


def test_the_broker_answers_whoever_has_its_url_and_nobody_else(tmp_path):
    program, url = broker(tmp_path / "broker")
    with Processes(tmp_path / "logs") as processes:
        processes.start(program)
        Bus(url).ping()
        stranger = Bus("redis://" + url.partition("@")[2])
        with pytest.raises(BusUnavailable):
            stranger.ping()
        (ended,) = processes.stop()
    assert ended.clean


def test_the_broker_is_not_ready_before_it_runs(tmp_path):
    program, _ = broker(tmp_path)
    assert program.ready() is False


def test_the_password_lies_in_a_file_that_is_ours_alone(tmp_path):
    program, url = broker(tmp_path)
    configuration = tmp_path / "valkey.conf"
    password = url.removeprefix("redis://:").partition("@")[0]
    assert password in configuration.read_text()
    assert stat.S_IMODE(configuration.stat().st_mode) == 0o600
    assert not any(password in argument for argument in program.argv)
    assert password != broker(tmp_path)[1].removeprefix("redis://:")[:32]
