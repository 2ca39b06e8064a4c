"""Events through a real Valkey, from the bus to a handler."""

# pylint: disable=redefined-outer-name

import threading
import time
from contextlib import contextmanager

import pytest
from quasar_core.contracts.events import (
    AttemptStarted,
    BenchmarkRequested,
    WorkerSeen,
)
from quasar_core.contracts.reports import SourceFile
from quasar_core.errors import TransientError
from quasar_core.messaging.bus import Bus
from quasar_core.messaging.consumer import Consumer

from tests.support.events import (
    a_source,
    attempt_started,
    benchmark_requested,
    worker_seen,
)
from tests.support.processes import Program
from tests.support.waiting import eventually

PROGRAM = "tests.support.consuming"


@contextmanager
def running(consumer):
    thread = threading.Thread(target=consumer.run)
    thread.start()
    assert consumer.ready.wait(10)
    try:
        yield consumer
    finally:
        consumer.stop()
        thread.join(15)
        assert not thread.is_alive()


@pytest.fixture
def bus(redis_url):
    made = Bus(redis_url)
    yield made
    made.close()


def test_an_event_arrives_whole(redis_url, bus):
    heard = []
    event = benchmark_requested()
    consumer = Consumer(
        redis_url, "benchmark.cpu", {BenchmarkRequested: heard.append}
    )
    with running(consumer):
        bus.publish(event, pool="cpu")
        eventually(lambda: heard, "the event")
    assert heard == [event]


def test_what_was_sent_before_the_consumer_came_is_heard_in_order(
    redis_url, bus
):
    events = [worker_seen(f"worker-{number}") for number in range(5)]
    for event in events:
        bus.publish(event)
    assert bus.depth("recording") == 5
    heard = []
    with running(Consumer(redis_url, "recording", {WorkerSeen: heard.append})):
        eventually(lambda: len(heard) == 5, "all five")
    assert heard == events
    assert bus.depth("recording") == 0


def test_the_largest_source_that_may_be_fetched_passes(redis_url, bus):
    heard = []
    # control characters: six bytes of JSON for each of theirs
    text = "\x01" * (256 * 1024)
    source = a_source().model_copy(
        update={
            "files": tuple(
                SourceFile(name=f"part_{number}.py", text=text)
                for number in range(4)
            )
        }
    )
    event = benchmark_requested(source=source)
    consumer = Consumer(
        redis_url, "benchmark.cpu", {BenchmarkRequested: heard.append}
    )
    with running(consumer):
        bus.publish(event, pool="cpu")
        eventually(lambda: heard, "the event")
    assert heard == [event]


def test_it_works_over_a_unix_socket(valkey_server, redis_url):
    del redis_url
    bus = Bus(valkey_server.socket_url)
    heard = []
    consumer = Consumer(
        valkey_server.socket_url, "recording", {WorkerSeen: heard.append}
    )
    with running(consumer):
        bus.publish(worker_seen())
        eventually(lambda: heard, "the event")
    bus.close()


def test_two_consumers_of_one_process_keep_their_own_handlers(redis_url, bus):
    first, second = [], []
    with (
        running(Consumer(redis_url, "recording", {WorkerSeen: first.append})),
        running(
            Consumer(
                redis_url,
                "benchmark.cpu",
                {BenchmarkRequested: second.append},
            )
        ),
    ):
        seen, requested = worker_seen(), benchmark_requested()
        bus.publish(seen)
        bus.publish(requested, pool="cpu")
        eventually(lambda: first and second, "both")
    assert (first, second) == ([seen], [requested])


def test_two_pools_of_one_process_do_not_swap_their_jobs(redis_url, bus):
    heard = {"a": [], "b": []}
    with (
        running(
            Consumer(
                redis_url,
                "benchmark.a",
                {BenchmarkRequested: heard["a"].append},
            )
        ),
        running(
            Consumer(
                redis_url,
                "benchmark.b",
                {BenchmarkRequested: heard["b"].append},
            )
        ),
    ):
        for_a, for_b = benchmark_requested(), benchmark_requested()
        bus.publish(for_b, pool="b")
        bus.publish(for_a, pool="a")
        eventually(lambda: heard["a"] and heard["b"], "both")
    assert heard == {"a": [for_a], "b": [for_b]}


def test_a_busy_worker_takes_no_second_job(redis_url, bus, valkey_server):
    let_go = threading.Event()
    started = []

    def handler(event):
        started.append(event)
        let_go.wait(20)

    consumer = Consumer(
        redis_url, "benchmark.cpu", {BenchmarkRequested: handler}
    )
    with running(consumer):
        for _ in range(3):
            bus.publish(benchmark_requested(), pool="cpu")
        eventually(lambda: started, "the first job")
        time.sleep(1.5)  # longer than a BRPOP that was under way
        assert bus.depth("benchmark.cpu") == 2
        assert len(started) == 1
        with valkey_server.client() as client:
            assert client.keys("unacked*") == []
        let_go.set()
        eventually(lambda: len(started) == 3, "the others")


def test_a_job_is_gone_from_the_broker_once_it_is_taken(redis_url, bus):
    event = benchmark_requested()
    with Program(
        PROGRAM, redis_url, "benchmark.cpu", "--sleep", "30"
    ) as program:
        bus.publish(event, pool="cpu")
        program.wait_for(f"began {event.event_id}")
        program.kill()
    assert bus.depth("benchmark.cpu") == 0
    with Program(PROGRAM, redis_url, "benchmark.cpu") as program:
        program.wait_for("ready")
        bus.publish(benchmark_requested(), pool="cpu")
        program.wait_for("done")
        assert f"done {event.event_id}" not in program.lines


def test_a_fact_whose_recorder_was_killed_is_recorded_by_the_next(
    redis_url, bus
):
    event = worker_seen()
    with Program(PROGRAM, redis_url, "recording", "--sleep", "30") as program:
        bus.publish(event)
        program.wait_for(f"began {event.event_id}")
        program.kill()
    with Program(
        PROGRAM, redis_url, "recording", "--visibility", "1"
    ) as program:
        program.wait_for(f"done {event.event_id}")
        assert program.terminate() == 0


def test_a_fact_waits_while_the_world_is_ill_and_keeps_its_place(
    redis_url, bus
):
    ill = threading.Event()
    ill.set()
    tries, heard = [], []

    def handler(event):
        tries.append(event)
        if ill.is_set():
            raise TransientError("the database is away")
        heard.append(event)

    events = [worker_seen("worker-1"), worker_seen("worker-2")]
    with running(Consumer(redis_url, "recording", {WorkerSeen: handler})):
        for event in events:
            bus.publish(event)
        eventually(lambda: len(tries) >= 3, "three tries")
        assert tries == [events[0]] * len(tries)
        ill.clear()
        eventually(lambda: len(heard) == 2, "both")
    assert heard == events


def test_a_stop_while_the_world_is_ill_leaves_the_fact_on_the_queue(
    redis_url, bus, valkey_server
):
    tries = []

    def handler(event):
        tries.append(event)
        raise TransientError("the database is away")

    event = worker_seen()
    with running(Consumer(redis_url, "recording", {WorkerSeen: handler})):
        bus.publish(event)
        eventually(lambda: tries, "a try")
    assert bus.depth("recording") == 1
    with valkey_server.client() as client:
        assert client.hlen("unacked.recording") == 0
    heard = []
    with running(Consumer(redis_url, "recording", {WorkerSeen: heard.append})):
        eventually(lambda: heard, "the next recorder")
    assert heard == [event]


def test_an_error_of_ours_does_not_end_the_consumer(redis_url, bus):
    heard = []

    def handler(event):
        if event.worker == "worker-1":
            raise ZeroDivisionError
        heard.append(event)

    with running(Consumer(redis_url, "recording", {WorkerSeen: handler})):
        bus.publish(worker_seen("worker-1"))
        bus.publish(worker_seen("worker-2"))
        eventually(lambda: heard, "the second")
    assert bus.depth("dead.recording") == 1


def test_handlers_of_one_queue_are_told_apart_by_their_event(redis_url, bus):
    started, seen = [], []
    consumer = Consumer(
        redis_url,
        "recording",
        {AttemptStarted: started.append, WorkerSeen: seen.append},
    )
    with running(consumer):
        events = attempt_started(), worker_seen()
        for event in events:
            bus.publish(event)
        eventually(lambda: started and seen, "both")
    assert (started, seen) == ([events[0]], [events[1]])


def test_a_consumer_leaves_between_two_messages_when_it_is_told(
    redis_url, bus
):
    heard = []
    sent = [benchmark_requested() for _ in range(3)]
    for job in sent:
        bus.publish(job, pool="cpu")
    for least in (2, 3):
        consumer = Consumer(
            redis_url,
            "benchmark.cpu",
            {BenchmarkRequested: heard.append},
            until=lambda least=least: len(heard) >= least,
        )
        consumer.run()
        assert heard == sent[:least]
        assert not consumer.stopping
