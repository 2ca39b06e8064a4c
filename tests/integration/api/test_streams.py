"""Streams from the real server process, across breaks and a kill."""

import json
from contextlib import contextmanager

import httpx2
from quasar_core.errors import Stage

from services.api.submissions import repository
from tests.support.api import RECEIVER, Moment
from tests.support.judged import Worker
from tests.support.processes import Program
from tests.support.valkey import free_port


@contextmanager
def web(world, port):
    settings = world.doors.settings
    environment = {
        "QUASAR_DATABASE_URL": settings.database_url,
        "QUASAR_CHAIN_URL": settings.chain_url,
        "QUASAR_REDIS_URL": "redis://127.0.0.1:1/0",
        "QUASAR_RECEIVER_HOTKEY": RECEIVER,
        "QUASAR_PORT": str(port),
        "QUASAR_LOG_LEVEL": "INFO",
        "QUASAR_EVENT_POLL_SECONDS": "0.02",
        "QUASAR_MAX_EVENT_STREAMS_PER_CLIENT": "2",
        "QUASAR_REQUESTS_PER_MINUTE": "0",
    }
    with Program("services.api.web", environment=environment) as program:
        program.wait_for("Uvicorn running")
        yield program


class Listener:
    """Somebody who hears a few events, hangs up, and comes back."""

    def __init__(self, url):
        self.url = url
        self.heard = []
        self.ended = False

    @contextmanager
    def listening(self):
        headers = {}
        if self.heard:
            headers["Last-Event-ID"] = str(self.heard[-1])
        with httpx2.stream(
            "GET", self.url, headers=headers, timeout=30
        ) as stream:
            assert stream.status_code == 200
            yield stream.iter_lines()

    def hear(self, lines, count):
        """Take so many events from a stream that is open."""
        for line in lines:
            if line.startswith("data: {"):
                move = json.loads(line.removeprefix("data: "))
                if "sequence" not in move:
                    self.ended = True
                    return
                self.heard.append(move["sequence"])
                count -= 1
            if count == 0:
                return


def in_the_log(world, submission_id):
    with world.database.read() as session:
        rows = repository.history(session, submission_id, 0)
        return [row.sequence for row in rows]


def test_nothing_is_lost_or_doubled_across_breaks_and_a_kill(world):
    world.register("a")
    submission_id = world.accepted("a")
    job, worker = world.take(), Worker(Moment())
    port = free_port()
    url = f"http://127.0.0.1:{port}/submissions/{submission_id}/events"
    listener = Listener(url)
    with web(world, port) as program:
        with listener.listening() as lines:
            listener.hear(lines, 1)
            world.record(worker.started(job))
            listener.hear(lines, 1)
        # while nobody listens
        world.record(worker.at(job, Stage.FETCH), worker.fetched(job))
        with listener.listening() as lines:
            listener.hear(lines, 1)
        with listener.listening() as lines:
            listener.hear(lines, 1)
            program.kill()
    # while there is no server
    world.record(
        worker.passed(job, Stage.FETCH), worker.at(job, Stage.CORRECTNESS)
    )
    with web(world, port):
        with listener.listening() as lines:
            listener.hear(lines, 1)
            world.record(worker.rejected(job))
            listener.hear(lines, 99)
        assert listener.ended
        told = in_the_log(world, submission_id)
        assert listener.heard == told
        assert len(told) >= 6
        last = {"Last-Event-ID": str(told[-1])}
        assert httpx2.get(url, headers=last).status_code == 204


def test_a_client_holds_so_many_streams_and_gets_the_place_back(
    sqlite_world,
):
    world = sqlite_world
    world.register("a")
    submission_id = world.accepted("a")
    port = free_port()
    listener = Listener(
        f"http://127.0.0.1:{port}/submissions/{submission_id}/events"
    )
    with web(world, port):
        with listener.listening(), listener.listening():
            refused = httpx2.get(listener.url, timeout=30)
            assert refused.status_code == 429
            assert refused.json()["code"] == "rate_limited"
            assert refused.headers["retry-after"]
        # it is given back once the server has seen the line drop
        status = 429
        while status == 429:
            with httpx2.stream("GET", listener.url, timeout=30) as stream:
                status = stream.status_code
        assert status == 200
