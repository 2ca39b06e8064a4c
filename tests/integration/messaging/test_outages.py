"""The broker goes away, comes back empty, or hangs; signals arrive."""

import pytest
from quasar_core.messaging.bus import Bus, BusUnavailable

from tests.support.events import benchmark_requested, worker_seen
from tests.support.processes import Program
from tests.support.waiting import eventually

PROGRAM = "tests.support.consuming"


def publish_when_possible(bus, event):
    def published():
        try:
            bus.publish(event)
        except BusUnavailable:
            return False
        return True

    eventually(published, "publishing")


def test_a_broker_that_comes_back_empty_finds_its_consumer_waiting(
    own_valkey,
):
    bus = Bus(own_valkey.url)
    with Program(PROGRAM, own_valkey.url, "recording") as program:
        program.wait_for("ready")
        own_valkey.stop()
        with pytest.raises(BusUnavailable):
            bus.publish(worker_seen())
        own_valkey.start()
        publish_when_possible(bus, worker_seen())
        program.wait_for("done")
        assert program.terminate() == 0
    bus.close()


def test_a_broker_that_goes_while_a_fact_is_in_hand_is_found_again(own_valkey):
    bus = Bus(own_valkey.url)
    with Program(
        PROGRAM, own_valkey.url, "recording", "--sleep", "1"
    ) as program:
        first, second = worker_seen(), worker_seen()
        bus.publish(first)
        program.wait_for("began")
        own_valkey.stop()
        program.wait_for(f"done {first.event_id}")
        program.wait_for("broker.unreachable")
        own_valkey.start()
        publish_when_possible(bus, second)
        program.wait_for(f"done {second.event_id}")
        assert program.terminate() == 0
    bus.close()


def test_a_consumer_may_start_before_its_broker(own_valkey):
    own_valkey.stop()
    bus = Bus(own_valkey.url)
    with Program(PROGRAM, own_valkey.url, "benchmark.cpu") as program:
        program.wait_for("starting")
        own_valkey.start()
        bus.publish(benchmark_requested(), pool="cpu")
        program.wait_for("done")
    bus.close()


@pytest.mark.parametrize("queue", ["recording", "benchmark.cpu"])
def test_sigterm_ends_an_idle_consumer(redis_url, queue):
    with Program(PROGRAM, redis_url, queue) as program:
        program.wait_for("ready")
        assert program.terminate(seconds=10) == 0


def test_sigterm_lets_the_message_in_hand_be_done(redis_url):
    bus = Bus(redis_url)
    with Program(PROGRAM, redis_url, "recording", "--sleep", "1") as program:
        first, second = worker_seen(), worker_seen()
        bus.publish(first)
        bus.publish(second)
        program.wait_for("began")
        assert program.terminate(seconds=10) == 0
        assert program.says("done") == [f"done {first.event_id}"]
    assert bus.depth("recording") == 1
    bus.close()


def test_sigterm_ends_a_consumer_whose_broker_is_away(own_valkey):
    with Program(PROGRAM, own_valkey.url, "recording") as program:
        program.wait_for("ready")
        own_valkey.stop()
        assert program.terminate(seconds=10) == 0


def test_sigterm_ends_a_consumer_that_never_found_its_broker(own_valkey):
    own_valkey.stop()
    with Program(PROGRAM, own_valkey.url, "recording") as program:
        program.wait_for("broker.unreachable")
        assert program.terminate(seconds=10) == 0


def test_a_broker_that_hangs_neither_holds_a_publisher_nor_a_stop(
    own_valkey,
):
    bus = Bus(own_valkey.url)
    bus.publish(worker_seen())
    with Program(PROGRAM, own_valkey.url, "recording") as program:
        program.wait_for("done")
        own_valkey.pause()
        with pytest.raises(BusUnavailable):
            bus.publish(worker_seen())
        assert program.terminate(seconds=25) == 0
        own_valkey.resume()
    bus.close()


def test_a_job_pushed_while_a_consumer_stops_is_not_lost(redis_url):
    bus = Bus(redis_url)
    with Program(PROGRAM, redis_url, "benchmark.cpu") as program:
        program.wait_for("ready")
        sent = []
        program.ask_to_end()
        while not program.ended:
            event = benchmark_requested()
            bus.publish(event, pool="cpu")
            sent.append(event)
        assert program.wait() == 0
        done = len(program.says("done"))
    assert sent
    assert done + bus.depth("benchmark.cpu") == len(sent)
    bus.close()
