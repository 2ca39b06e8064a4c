"""The broker of a local stack: up, and open only to who knows the word."""

import stat

import pytest
from quasar_core.messaging.bus import Bus, BusUnavailable

from deploy.local.broker import broker
from deploy.local.processes import Processes


def test_the_broker_answers_whoever_has_its_url_and_nobody_else(tmp_path):
    program, doors = broker(tmp_path / "broker", {})
    with Processes(tmp_path / "logs") as processes:
        processes.start(program)
        Bus(doors.platform).ping()
        stranger = Bus("redis://" + doors.platform.partition("@")[2])
        with pytest.raises(BusUnavailable):
            stranger.ping()
        (ended,) = processes.stop()
    assert ended.clean


def test_the_broker_is_not_ready_before_it_runs(tmp_path):
    program, _ = broker(tmp_path, {})
    assert program.ready() is False


def test_the_passwords_lie_in_a_file_that_is_ours_alone(tmp_path):
    queues = {"benchmark-1": "benchmark.cpu"}
    program, doors = broker(tmp_path, queues)
    words = {word_of(doors.platform), word_of(doors.workers["benchmark-1"])}
    configuration = tmp_path / "valkey.conf"
    assert len(words) == 2
    assert all(word in configuration.read_text() for word in words)
    assert stat.S_IMODE(configuration.stat().st_mode) == 0o600
    assert not any(
        word in argument for argument in program.argv for word in words
    )
    assert word_of(broker(tmp_path, queues)[1].platform) not in words


def word_of(url):
    return url.rpartition("@")[0].rpartition(":")[2]
