"""The API's three processes, over a real broker, database and chain."""

from __future__ import annotations

# pylint: disable=redefined-outer-name
import json
import threading
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

from services.api.db.session import Database
from tests.support.api import NETUID, RECEIVER, submission
from tests.support.processes import Program
from tests.support.valkey import free_port
from tests.support.waiting import PATIENCE_SECONDS
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
        thread = threading.Thread(target=consumer.run)
        thread.start()
        thread.join(PATIENCE_SECONDS)
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
