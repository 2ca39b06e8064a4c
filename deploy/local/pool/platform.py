"""The platform with a pool of workers that wait instead of judging."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from quasar_core.chain.local import LocalChain
from quasar_core.chain.signatures import worker_keypair
from quasar_core.contracts.events import (
    BenchmarkRequested,
    VerificationRequested,
)
from quasar_core.domain.rounds import RoundStatus
from quasar_core.errors import Stage
from quasar_core.messaging.topology import queue_for
from sqlalchemy import select

from deploy.local.broker import broker
from deploy.local.environment import base_environment, free_port
from deploy.local.load.serving import answers, environment_of, make_chain
from deploy.local.processes import Ended, Processes, ProcessFault, Program
from deploy.local.rules import POOL
from services.api.db.models import Round
from services.api.db.records import Worker
from services.api.db.session import Database

API = ("web", "recorder", "scheduler")
QUEUES = {
    "benchmark": queue_for(BenchmarkRequested, POOL),
    "verifier": queue_for(VerificationRequested, POOL),
}
READY_SECONDS = 120.0
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Crew:
    """Who works: so many workers of each role, and how long a job takes."""

    benchmark: int = 1
    verifier: int = 0
    seconds: float = 0.2
    stages: Sequence[Stage] = ()
    poison: str = ""
    """Commits that begin so kill who fetches them."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """What their processes read beside."""

    def names(self, role: str) -> list[str]:
        """The workers of a role."""
        number = self.benchmark if role == "benchmark" else self.verifier
        return [f"{role}-{turn}" for turn in range(1, number + 1)]


class PoolPlatform:
    """Broker, chain, API and a crew as real processes over one database.

    Each worker stands for a machine of its own: it has its own state, key,
    broker's user, and lock. `environment` is what the API reads beside.
    """

    def __init__(
        self,
        folder: Path,
        database_url: str,
        crew: Crew,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.crew = crew
        self.port = free_port()
        self.database = Database(database_url)
        self.chain: LocalChain = make_chain(folder)
        self.processes = Processes(folder / "logs")
        roles = {name: role for role in QUEUES for name in crew.names(role)}
        self.broker, self.doors = broker(
            folder / "broker", {n: QUEUES[r] for n, r in roles.items()}
        )
        self._programs = {
            **self._api(database_url, list(roles), environment or {}),
            **{n: self._worker(n, r) for n, r in roles.items()},
        }

    @property
    def workers(self) -> tuple[str, ...]:
        """The names of the workers' processes."""
        return tuple(name for name in self._programs if name not in API)

    def program(self, name: str) -> Program:
        """What is started under that name."""
        return self._programs[name]

    def seed_file(self, worker: str) -> Path:
        """Where the key of a worker lies."""
        return self.folder / "keys" / f"{worker}.seed"

    def start(self, *names: str) -> None:
        """Start these, or all: the broker first; the web is ready then."""
        if not names:
            self.processes.start(self.broker)
        for name in names or tuple(self._programs):
            self.processes.start(self._programs[name], wait=False)
        for name in names or tuple(self._programs):
            self.processes.wait_ready(name)

    def open_round(self) -> int:
        """The number of the open round."""
        query = select(Round.number).where(Round.status == RoundStatus.OPEN)
        with self.database.read() as session:
            return session.scalars(query).one()

    def await_workers(self) -> None:
        """Wait until every worker was heard; raises ProcessFault."""
        seen: set[str] = set()
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            self.processes.check()
            with self.database.read() as session:
                seen = set(session.scalars(select(Worker.name)))
            if seen >= set(self.workers):
                return
            time.sleep(POLL_SECONDS)
        raise ProcessFault(f"not every worker was heard, only {seen}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> tuple[Ended, ...]:
        """End every process, and give the database back."""
        ended = self.processes.stop()
        self.database.close()
        return ended

    def _api(
        self, url: str, workers: Sequence[str], beside: Mapping[str, str]
    ) -> dict[str, Program]:
        hotkeys = {
            name: worker_keypair(self.seed_file(name)).ss58_address
            for name in workers
        }
        environment = {
            **environment_of(self.folder, url, self.doors.platform, self.port),
            "QUASAR_POOL": POOL,
            "QUASAR_WORKER_HOTKEYS": json.dumps(hotkeys),
            **beside,
        }
        return {
            name: Program(
                name,
                (sys.executable, "-P", "-m", f"services.api.{name}"),
                environment,
                ready=lambda name=name: name != "web"
                or answers(self.port, "/rounds/current"),
                ready_seconds=READY_SECONDS,
                directory=self.folder,
            )
            for name in API
        }

    def _worker(self, name: str, role: str) -> Program:
        home = self.folder / "machines" / name
        home.mkdir(parents=True)
        stages = [stage.value for stage in self.crew.stages]
        return Program(
            name,
            (
                *(sys.executable, "-P", "-m", "deploy.local.pool", role),
                *("--seconds", str(self.crew.seconds)),
                *("--poison", self.crew.poison, "--stages", *stages),
            ),
            {
                **base_environment(),
                "QUASAR_REDIS_URL": self.doors.workers[name],
                "QUASAR_WORKER_NAME": name,
                "QUASAR_WORKER_SEED_FILE": str(self.seed_file(name)),
                "QUASAR_POOL": POOL,
                "QUASAR_STATE_DIRECTORY": str(home / "state"),
                "QUASAR_LOCK_DIRECTORY": str(home / "locks"),
                "QUASAR_ALLOW_DEGRADED": "true",
                "QUASAR_LOG_LEVEL": "WARNING",
                **self.crew.environment,
            },
            directory=home,
        )
