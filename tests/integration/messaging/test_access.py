"""A worker's own user at a real broker: it can work, and nothing else."""

import threading

import pytest
import redis
from quasar_core.contracts.events import BenchmarkRequested
from quasar_core.messaging.access import worker_rules
from quasar_core.messaging.bus import Bus, BusUnavailable
from quasar_core.messaging.consumer import Consumer

from tests.support.events import benchmark_requested, worker_seen
from tests.support.waiting import eventually

QUEUE = "benchmark.cpu"


@pytest.fixture
def as_worker(redis_url, valkey_server):
    with valkey_server.client() as client:
        client.execute_command(
            "ACL", "SETUSER", "gpu-7", "on", ">word", *worker_rules(QUEUE)
        )
        yield redis_url.replace("//", "//gpu-7:word@")
        client.execute_command("ACL", "DELUSER", "gpu-7")


def test_a_worker_takes_jobs_reports_and_sets_aside(
    as_worker, redis_url, valkey_server
):
    heard = []
    consumer = Consumer(as_worker, QUEUE, {BenchmarkRequested: heard.append})
    thread = threading.Thread(target=consumer.run)
    thread.start()
    try:
        assert consumer.ready.wait(10)
        job = benchmark_requested()
        with valkey_server.client() as client:
            client.lpush(QUEUE, b"garbage")
            Bus(redis_url).publish(job, "cpu")
            eventually(lambda: heard == [job])
            Bus(as_worker).publish(worker_seen())
            assert client.llen("recording") == 1
            assert client.llen("dead." + QUEUE) == 1
    finally:
        consumer.stop()
        thread.join(10)


REFUSED = {
    "takes back a fact": ("RPOP", "recording"),
    "reads the facts": ("LRANGE", "recording", "0", "-1"),
    "removes the facts": ("DEL", "recording"),
    "cuts the facts": ("LTRIM", "recording", "1", "0"),
    "invents a job for its own pool": ("LPUSH", QUEUE, "{}"),
    "invents a job for another pool": ("LPUSH", "benchmark.h200", "{}"),
    "takes another pool's job": ("BRPOP", "benchmark.h200", "0.01"),
    "takes a verifier's job": ("BRPOP", "verification.cpu", "0.01"),
    "reads what was set aside": ("LRANGE", "dead." + QUEUE, "0", "-1"),
    "lists the keys": ("KEYS", "*"),
    "runs a script": ("EVAL", "return 1", "0"),
    "empties the broker": ("FLUSHALL",),
    "changes its own rights": ("ACL", "SETUSER", "gpu-7", "+@all"),
    "reads the settings": ("CONFIG", "GET", "*"),
    "listens in": ("SUBSCRIBE", "*"),
    "throws the others out": ("CLIENT", "KILL", "TYPE", "normal"),
}


@pytest.mark.parametrize("command", REFUSED.values(), ids=REFUSED.keys())
def test_a_broken_into_worker_cannot(as_worker, command):
    with (
        redis.Redis.from_url(as_worker) as client,
        pytest.raises(redis.exceptions.NoPermissionError),
    ):
        client.execute_command(*command)


def test_a_worker_cannot_publish_a_job(as_worker):
    with pytest.raises(BusUnavailable):
        Bus(as_worker).publish(benchmark_requested(), "cpu")
