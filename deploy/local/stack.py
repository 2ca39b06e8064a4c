"""The stack: the whole platform as processes of this machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from quasar_core.chain.local import LocalChain
from quasar_core.client.api import QuasarClient
from quasar_core.contracts.events import (
    BenchmarkRequested,
    VerificationRequested,
)
from quasar_core.messaging.topology import queue_for

from deploy.local.broker import broker
from deploy.local.environment import Place, free_port
from deploy.local.identities import (
    BENCHMARK_WORKER,
    VERIFIER_WORKER,
    Identities,
    establish,
)
from deploy.local.miners.forks import base_repository
from deploy.local.processes import Ended, Processes, ProcessFault
from deploy.local.programs import (
    PROCESSES,
    Wiring,
    api_programs,
    operator_programs,
    write_targets,
)
from deploy.local.rules import POOL, Rules
from services.api.db.migrate import upgrade
from services.api.db.session import Database

POLL_SECONDS = 0.1
WORKERS_SECONDS = 120.0
ROLES = frozenset({"benchmark", "verifier"})
JOB_QUEUES = {
    BENCHMARK_WORKER: queue_for(BenchmarkRequested, POOL),
    VERIFIER_WORKER: queue_for(VerificationRequested, POOL),
}

Tell = Callable[[str], None]


class Stack:
    """Broker, database, chain, API, workers and weight setter, together.

    Everything lies in one folder and is started by `start`; `stop`, or the
    end of a `with`, ends it again. What the folder holds is taken up where
    it was left; `fresh` removes it first, and nothing else.
    """

    def __init__(
        self,
        root: Path,
        rules: Rules | None = None,
        *,
        api_port: int | None = None,
        fresh: bool = False,
    ) -> None:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.place = Place(root.resolve())
        if fresh:
            self.place.clear()
        self.rules = rules or Rules()
        self.processes = Processes(self.place.logs)
        self._api_port = api_port
        self._identities: Identities | None = None
        self._wiring: Wiring | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def wiring(self) -> Wiring:
        """How the started processes find each other."""
        if self._wiring is None:
            raise ProcessFault("the stack has not been started")
        return self._wiring

    @property
    def identities(self) -> Identities:
        """Who is who on this stack."""
        return self.wiring.identities

    @property
    def chain(self) -> LocalChain:
        """The stack's chain."""
        return self.identities.chain

    def client(self) -> QuasarClient:
        """A client of the stack's API that signs nothing."""
        return QuasarClient(self.wiring.api_url)

    def start(self, tell: Tell = lambda _: None) -> None:
        """Start everything and wait until all of it is ready.

        `tell` hears what is being done, a line each. Raises ProcessFault,
        with the tail of its log, for a process that does not start.
        """
        tell("making keys, a chain and a database")
        identities = establish(self.place, self.rules.block_seconds)
        upgrade(Database(self.place.database_url))
        tell("starting the broker")
        program, doors = broker(self.place.root / "broker", JOB_QUEUES)
        self.processes.start(program)
        self._wiring = Wiring(
            place=self.place,
            rules=self.rules,
            identities=identities,
            doors=doors,
            api_port=self._api_port or free_port(),
            base_commit=base_repository(self.place.base),
            metrics_ports={name: free_port() for name in PROCESSES},
        )
        write_targets(self._wiring)
        programs = (
            *api_programs(self._wiring),
            *operator_programs(self._wiring),
        )
        for each in programs:
            self.processes.start(each, wait=False)
        tell("waiting for the API")
        self.processes.wait_ready("web")
        tell("waiting for the workers: each proves its sandbox first")
        self.await_workers()

    def await_workers(self) -> None:
        """Wait until both workers have been heard; raises ProcessFault.

        What they say comes through broker and recorder, so that once they
        are heard the whole way from a worker to a reader is open.
        """
        deadline = time.monotonic() + WORKERS_SECONDS
        with self.client() as client:
            while time.monotonic() < deadline:
                self.processes.check()
                workers = client.stats().workers
                if {worker.role for worker in workers} >= ROLES:
                    return
                time.sleep(POLL_SECONDS)
        raise ProcessFault(
            f"no worker was heard within {WORKERS_SECONDS:g} s; see"
            f" {self.place.logs}"
        )

    def stop(self) -> tuple[Ended, ...]:
        """End everything that was started, the last started first."""
        return self.processes.stop()
