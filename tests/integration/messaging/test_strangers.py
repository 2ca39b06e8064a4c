"""Messages that are not of our making, put on a real queue by hand."""

# pylint: disable=redefined-outer-name

import base64
import json
import pickle
import threading

import pytest
from quasar_core.chain.keys import (
    keypair_from_seed,
    worker_signer,
    worker_verifier,
)
from quasar_core.contracts.events import WorkerSeen
from quasar_core.messaging.broker import celery_app
from quasar_core.messaging.bus import Bus
from quasar_core.messaging.consumer import Consumer
from quasar_core.messaging.dead import KEPT_LETTERS

from tests.support.events import worker_seen
from tests.support.waiting import eventually

MINE = keypair_from_seed(b"1" * 32)
STRANGER = keypair_from_seed(b"2" * 32)


class Recorder:
    def __init__(self, url, client, **options):
        self.heard = []
        self.client = client
        self.bus = Bus(url)
        self._consumer = Consumer(
            url, "recording", {WorkerSeen: self.heard.append}, **options
        )
        self._thread = threading.Thread(target=self._consumer.run)

    def __enter__(self):
        self._thread.start()
        assert self._consumer.ready.wait(10)
        return self

    def __exit__(self, *_):
        self._consumer.stop()
        self._thread.join(15)
        self.bus.close()
        assert not self._thread.is_alive()

    def reasons(self):
        return [
            json.loads(letter)["reason"]
            for letter in self.client.lrange("dead.recording", 0, -1)
        ]

    def stays_healthy(self, bus=None):
        event = worker_seen()
        (bus or self.bus).publish(event)
        eventually(lambda: event in self.heard, "the next good event")


@pytest.fixture
def client(redis_url, valkey_server):
    del redis_url
    with valkey_server.client() as made:
        yield made


def as_celery_would(**changes):
    """A message with the fields that kombu insists on."""
    body = json.dumps([[], {}, {}]).encode()
    return {
        "body": base64.b64encode(body).decode(),
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": {"task": "worker.seen", "id": "1"},
        "properties": {
            "body_encoding": "base64",
            "delivery_tag": "1",
            "delivery_info": {"exchange": "", "routing_key": "recording"},
        },
    } | changes


PICKLED = base64.b64encode(pickle.dumps(([], {}, {}))).decode()


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"raw garbage", "not_json"),
        (bytes(range(256)), "not_json"),
        (b"", "not_json"),
        (b"[" * 200_000, "not_json"),
        (b"null", "not_a_message"),
        (b'{"properties": {}}', "content_type"),
        (json.dumps(as_celery_would(headers=None)), "not_a_message"),
        (
            json.dumps(as_celery_would(headers={"task": "celery.backup"})),
            "unknown_event",
        ),
        (
            json.dumps(
                as_celery_would(
                    **{"content-type": "application/x-python-serialize"},
                    body=PICKLED,
                )
            ),
            "content_type",
        ),
        (json.dumps(as_celery_would(body=PICKLED)), "not_json"),
        (json.dumps(as_celery_would()), "not_a_message"),
        (b" " * 70_000, "too_large"),
    ],
)
def test_a_stranger_s_message_is_set_aside_and_the_next_one_heard(
    redis_url, client, raw, reason
):
    with Recorder(redis_url, client, max_message_bytes=65_536 * 4) as found:
        if reason == "too_large":
            raw = raw * 4
        client.lpush("recording", raw)
        found.stays_healthy()
        assert found.reasons() == [reason]


def test_a_task_of_another_application_is_set_aside(redis_url, client):
    with Recorder(redis_url, client) as found:
        stranger = celery_app(redis_url)
        stranger.send_task("os.system", args=["true"], queue="recording")
        found.stays_healthy()
        assert found.reasons() == ["unknown_event"]
        stranger.close()


@pytest.mark.parametrize(
    "options",
    [
        {"countdown": 3_600},
        {"expires": 0.0},
        {"time_limit": 1},
        {"reply_to": "elsewhere"},
        {"priority": 9},
    ],
)
def test_no_header_delays_or_hides_a_good_event(redis_url, client, options):
    event = worker_seen()
    with Recorder(redis_url, client) as found:
        sender = celery_app(redis_url)
        sender.send_task(
            "worker.seen",
            kwargs={"body": event.model_dump(mode="json")},
            queue="recording",
            **options,
        )
        eventually(lambda: found.heard == [event], "the event")
        sender.close()


def test_an_event_with_a_wrong_field_is_set_aside(redis_url, client):
    with Recorder(redis_url, client) as found:
        sender = celery_app(redis_url)
        body = worker_seen().model_dump(mode="json") | {"role": "admin"}
        sender.send_task(
            "worker.seen", kwargs={"body": body}, queue="recording"
        )
        found.stays_healthy()
        assert found.reasons() == ["invalid_event"]
        sender.close()


def test_only_a_registered_worker_s_signature_counts(redis_url, client):
    verify = worker_verifier({"worker-1": MINE.ss58_address})
    good = Bus(redis_url, worker_signer(MINE), "worker-1")
    buses = (
        Bus(redis_url),
        Bus(redis_url, worker_signer(STRANGER), "worker-1"),
        Bus(redis_url, worker_signer(MINE), "worker-2"),
    )
    with Recorder(redis_url, client, verify=verify) as found:
        for bus in buses:
            bus.publish(worker_seen())
        found.stays_healthy(good)
        assert found.reasons() == ["bad_signature"] * 3
        assert len(found.heard) == 1
    for bus in (*buses, good):
        bus.close()


def test_the_list_of_what_was_set_aside_is_capped(redis_url, client):
    for _ in range(KEPT_LETTERS + 5):
        client.lpush("recording", b"x")
    with Recorder(redis_url, client) as found:
        found.stays_healthy()
        assert client.llen("dead.recording") == KEPT_LETTERS
