"""What a consumer does with one event; the queue is in integration."""

import pytest
from celery.exceptions import Reject
from quasar_core.contracts.events import BenchmarkRequested, WorkerSeen
from quasar_core.errors import TransientError
from quasar_core.messaging import consumer as module
from quasar_core.messaging.consumer import Consumer
from quasar_core.telemetry.metrics import CRASHES, MESSAGES_HANDLED

from tests.support.counters import shown
from tests.support.events import benchmark_requested, worker_seen

NOWHERE = "redis://127.0.0.1:1/0"


class FakeDead:
    def __init__(self):
        self.letters = []

    def put(self, _raw, reason, detail):
        self.letters.append((reason.value, detail))


def make(queue, event_type, handler):
    made = Consumer(NOWHERE, queue, {event_type: handler})
    made._dead = FakeDead()
    return made


def count(event, outcome):
    return MESSAGES_HANDLED.labels(event, outcome)._value.get()


def test_an_event_reaches_the_handler_of_its_class():
    heard = []
    event = worker_seen()
    make("recording", WorkerSeen, heard.append)._take(event)
    assert heard == [event]


def test_a_fact_is_tried_again_until_the_world_is_well(monkeypatch):
    monkeypatch.setattr(module, "BACKOFF_SECONDS", (0.0,))
    faults = [TransientError("away"), TransientError("away")]

    def handler(_):
        if faults:
            raise faults.pop()

    before = count("worker.seen", "done")
    make("recording", WorkerSeen, handler)._take(worker_seen())
    assert faults == []
    assert count("worker.seen", "done") == before + 1


def test_a_stop_puts_a_fact_back_that_could_not_be_recorded():
    def handler(_):
        consumer.stop()
        raise TransientError("away")

    consumer = make("recording", WorkerSeen, handler)
    with pytest.raises(Reject) as rejected:
        consumer._take(worker_seen())
    assert rejected.value.requeue is True


def test_crashes_are_shown_before_the_first():
    CRASHES.clear()
    make("recording", WorkerSeen, lambda _: None)
    assert shown(CRASHES) == {("worker.seen",): 0}


def test_an_error_of_ours_sets_the_fact_aside_and_is_counted():
    def handler(_):
        raise ZeroDivisionError("ours")

    consumer = make("recording", WorkerSeen, handler)
    before = CRASHES.labels("worker.seen")._value.get()
    consumer._take(worker_seen())
    assert CRASHES.labels("worker.seen")._value.get() == before + 1
    assert consumer._dead.letters == [
        ("handler_failed", "ZeroDivisionError: ours")
    ]


@pytest.mark.parametrize("fault", [TransientError("x"), KeyError("x")])
def test_a_job_is_never_tried_again(fault):
    calls = []

    def handler(event):
        calls.append(event)
        raise fault

    consumer = make("benchmark.cpu", BenchmarkRequested, handler)
    consumer._take(benchmark_requested())
    assert len(calls) == 1
    assert consumer._dead.letters == []


def test_a_signal_stops_the_consumer_before_it_tells_anybody():
    seen = []
    consumer = Consumer(
        NOWHERE,
        "recording",
        {},
        on_stop=lambda: seen.append(consumer.stopping),
    )
    consumer._on_signal(15, None)
    assert seen == [True]
