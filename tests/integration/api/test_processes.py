"""The three processes, for real: HTTP, a broker, both engines, signals."""

# pylint: disable=redefined-outer-name,protected-access

import json
from contextlib import ExitStack

import httpx2
import pytest
from quasar_core.chain.keys import worker_signer
from quasar_core.chain.local import LocalChain
from quasar_core.chain.local_state import Genesis
from quasar_core.chain.signatures import sign
from quasar_core.contracts.events import BenchmarkRequested
from quasar_core.messaging.bus import Bus
from quasar_core.messaging.consumer import Consumer
from sqlalchemy import func, select

from services.api.db.models import Attempt, Round, Submission
from services.api.db.records import LogRow, OutboxRow
from services.api.db.session import Database
from tests.support.api import NETUID, RECEIVER, Moment, submission
from tests.support.judged import Worker
from tests.support.processes import Program
from tests.support.valkey import free_port
from tests.support.waiting import eventually
from tests.support.wallets import address, keypair


class Platform:
    """The API's processes over one database, one broker and one chain."""

    def __init__(self, database_url, redis_url, directory):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.redis_url = redis_url
        self.database = Database(database_url)
        self.chain = LocalChain.create(
            directory / "chain.json", Genesis(netuid=NETUID)
        )
        self.environment = {
            "QUASAR_DATABASE_URL": database_url,
            "QUASAR_REDIS_URL": redis_url,
            "QUASAR_CHAIN_URL": f"local://{directory}/chain.json",
            "QUASAR_NETUID": str(NETUID),
            "QUASAR_RECEIVER_HOTKEY": RECEIVER,
            "QUASAR_LEAGUE_UNIT": "500",
            "QUASAR_MAX_SEQUENCE_LENGTH": "10000",
            "QUASAR_PORT": str(self.port),
            "QUASAR_LOG_LEVEL": "INFO",
            "QUASAR_REQUESTS_PER_MINUTE": "0",
            "QUASAR_WRITES_PER_MINUTE": "0",
            "QUASAR_WORKER_HOTKEYS": json.dumps(
                {"worker-1": address("worker-1")}
            ),
        }
        self.programs = {}

    def start(self, *names):
        """Start processes; they are up when this returns."""
        for name in names:
            self._close(self.programs.pop(name, None))
            self.programs[name] = Program(
                f"services.api.{name}", environment=self.environment
            )
        for name in names:
            word = {
                "web": "Uvicorn running",
                "recorder": "consumer.started",
                "scheduler": "scheduler.started",
            }[name]
            self.programs[name].wait_for(word)

    def register(self, name):
        """Register a miner on the chain."""
        self.chain.register(address(name), address(f"{name}-cold"))

    def submit(self, name):
        """A signed submission over HTTP."""
        body = json.dumps(submission(name)).encode()
        headers = sign(
            keypair(name), "POST", "/submit_submission", body, RECEIVER
        )
        return httpx2.post(
            f"{self.url}/submit_submission",
            content=body,
            headers={"Content-Type": "application/json", **headers},
            timeout=20,
        )

    def status(self, submission_id):
        """The status of a submission, over HTTP."""
        answer = httpx2.get(f"{self.url}/submissions/{submission_id}")
        return answer.json()["status"]

    def jobs(self):
        """The benchmark jobs that lie in the broker, taken."""
        taken = []
        consumer = Consumer(
            self.redis_url,
            "benchmark.cpu",
            {
                BenchmarkRequested: lambda job: (
                    taken.append(job),
                    consumer.stop(),
                )
            },
        )
        import threading

        thread = threading.Thread(target=consumer.run)
        thread.start()
        thread.join(20)
        assert not thread.is_alive(), "no job came"
        return taken

    def bus(self, name="worker-1", key=None):
        """A worker's bus, which signs with its key."""
        return Bus(self.redis_url, worker_signer(keypair(key or name)), name)

    def close(self):
        """End whatever still runs."""
        for program in self.programs.values():
            self._close(program)
        self.database.close()

    @staticmethod
    def _close(program):
        if program is not None:
            program.__exit__()


@pytest.fixture
def platform(database_url, redis_url, tmp_path):
    made = Platform(database_url, redis_url, tmp_path)
    with ExitStack() as stack:
        stack.callback(made.close)
        yield made


def test_a_submission_goes_through_all_three_and_each_ends_well(platform):
    platform.start("scheduler", "web", "recorder")
    platform.register("alice")
    eventually(
        lambda: httpx2.get(f"{platform.url}/rounds/current").status_code == 200
    )
    answer = platform.submit("alice")
    assert answer.status_code == 202, answer.text
    submission_id = answer.json()["submission_id"]
    (job,) = platform.jobs()
    assert str(job.submission_id) == submission_id

    worker = Worker(Moment())
    forger = platform.bus(key="somebody-else")
    forger.publish(worker.rejected(job))
    bus = platform.bus()
    bus.publish(worker.started(job))
    bus.publish(worker.fetched(job))
    eventually(lambda: platform.status(submission_id) == "benchmarking")

    stream = f"{platform.url}/submissions/{submission_id}/events"
    with httpx2.stream("GET", stream, timeout=20) as events:
        lines = events.iter_lines()
        assert any("benchmarking" in line for line in lines)
        bus.publish(worker.benchmarked(job))
        assert any('"to_status":"verifying"' in line for line in lines)
        codes = {
            name: program.terminate()
            for name, program in platform.programs.items()
        }
    assert codes == {"web": 0, "recorder": 0, "scheduler": 0}
    for client in (bus, forger):
        client.close()
    with platform.database.read() as session:
        row = session.scalars(select(Submission)).one()
        assert row.status == "verifying"


def test_what_was_accepted_before_a_kill_is_judged_after_it(platform):
    platform.start("scheduler", "web")
    platform.register("alice")
    eventually(
        lambda: httpx2.get(f"{platform.url}/rounds/current").status_code == 200
    )
    platform.programs["scheduler"].kill()
    answer = platform.submit("alice")
    assert answer.status_code == 202
    platform.programs["web"].kill()
    platform.start("scheduler")
    (job,) = platform.jobs()
    assert str(job.submission_id) == answer.json()["submission_id"]
    assert platform.programs["scheduler"].terminate() == 0


def test_a_broker_that_comes_back_empty_delays_and_loses_nothing(
    sqlite_url, own_valkey, tmp_path
):
    platform = Platform(sqlite_url, own_valkey.url, tmp_path)
    platform.environment["QUASAR_DISPATCH_LOST_SECONDS"] = "0.5"
    platform.environment["QUASAR_LEASE_SECONDS"] = "0.5"
    with ExitStack() as stack:
        stack.callback(platform.close)
        platform.start("scheduler", "web", "recorder")
        platform.register("alice")
        platform.register("bob")
        eventually(
            lambda: httpx2.get(f"{platform.url}/rounds/current").status_code
            == 200
        )
        first = platform.submit("alice").json()["submission_id"]

        def published():
            with platform.database.read() as session:
                query = select(func.count()).where(
                    OutboxRow.published_at.is_not(None)
                )
                return session.scalar(query)

        eventually(published)
        own_valkey.stop()
        answer = platform.submit("bob")
        assert answer.status_code == 202
        own_valkey.start()
        jobs = [platform.jobs()[0] for _ in range(2)]
        assert {str(job.submission_id) for job in jobs} == {
            first,
            answer.json()["submission_id"],
        }
        with platform.database.read() as session:
            states = session.scalars(select(Attempt.state)).all()
        assert "undelivered" in states
        for program in platform.programs.values():
            assert program.terminate() == 0


def test_two_schedulers_of_which_one_is_killed_turn_each_round_once(
    platform,
):
    platform.environment |= {
        "QUASAR_ROUND_BLOCKS": "50",
        "QUASAR_ROUND_POLL_SECONDS": "0.02",
        "QUASAR_METAGRAPH_REFRESH_SECONDS": "0.02",
    }
    statuses = {}

    def reached(number):
        with platform.database.read() as session:
            rows = session.scalars(select(Round).order_by(Round.number)).all()
        statuses.update({row.number: row.status for row in rows})
        return len(rows) > number

    platform.start("scheduler")
    with Program(
        "services.api.scheduler", environment=platform.environment
    ) as doomed:
        doomed.wait_for("scheduler.started")
        for number in range(6):
            eventually(lambda least=number: reached(least), "the next round")
            if number == 3:
                doomed.kill()
            platform.chain.advance(50)
    ended = [*["weighed"] * 5, "finalised", "open"]
    eventually(
        lambda: reached(6) and list(statuses.values()) == ended,
        "the end of every closed round",
    )
    assert platform.programs["scheduler"].terminate() == 0
    with platform.database.read() as session:
        query = select(LogRow).where(LogRow.kind == "round")
        told = [
            (row.round_number, row.to_status) for row in session.scalars(query)
        ]
    assert len(told) == len(set(told)), "each step was taken once"


def test_a_database_that_was_not_migrated_is_refused_at_the_start(
    empty_database_url, redis_url, tmp_path
):
    platform = Platform(empty_database_url, redis_url, tmp_path)
    with Program(
        "services.api.web", environment=platform.environment
    ) as program:
        assert program.wait() == 3
        assert "quasar api migrate" in program.text
    platform.database.close()


def test_settings_that_are_missing_are_named(tmp_path):
    with Program(
        "services.api.scheduler",
        environment={"QUASAR_RECEIVER_HOTKEY": "nobody", "QUASAR_PORT": "x"},
    ) as program:
        assert program.wait() == 2
        assert "QUASAR_RECEIVER_HOTKEY:" in program.text
        assert "QUASAR_PORT:" in program.text
