"""A world around the API: a chain that stands still, miners, a bus."""

from __future__ import annotations

# pylint: disable=redefined-outer-name
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient
from quasar_core.chain.local import LocalChain
from quasar_core.chain.local_state import Genesis
from quasar_core.chain.signatures import sign
from quasar_core.contracts.events import AttemptStarted, Event, WorkerEvent
from quasar_core.messaging.bus import BusUnavailable
from quasar_core.messaging.limits import RateLimits
from quasar_core.messaging.topology import queue_for

from services.api.app import create_app
from services.api.db.models import Attempt
from services.api.db.session import Database
from services.api.dependencies import Doors
from services.api.miners.registry import Registry
from services.api.recording.service import Recorder
from services.api.scheduler import Scheduler
from services.api.settings import Settings
from tests.support.chains import Clock
from tests.support.wallets import address, keypair

NETUID = 24
RECEIVER = address("api")
BLOCK_SECONDS = 12.0


class FakeBus:
    """Queues in memory, with the manners of a Bus; may be away."""

    def __init__(self) -> None:
        self.queues: dict[str, list[Event]] = defaultdict(list)
        self.away = False

    def publish(self, event: Event, pool: str | None = None) -> None:
        """Put an event on its queue, through the wire's own JSON."""
        self.ping()
        copy = type(event).model_validate_json(event.model_dump_json())
        self.queues[queue_for(type(event), pool)].append(copy)

    def depth(self, queue: str) -> int:
        """How many messages wait in a queue."""
        self.ping()
        return len(self.queues[queue])

    def take(self, queue: str) -> Any:
        """What a worker would take next."""
        return self.queues[queue].pop(0)

    def ping(self) -> None:
        """Raise BusUnavailable while it is away."""
        if self.away:
            raise BusUnavailable("the broker is away")

    def close(self) -> None:
        """Nothing is open."""


@dataclass
class Moment:
    """A clock that stands still until it is told."""

    now: datetime = datetime(2027, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)


@dataclass
class World:
    """An API with everything around it under the test's control."""

    doors: Doors
    bus: FakeBus
    chain: LocalChain
    chain_clock: Clock
    clock: Moment
    client: TestClient
    scheduler: Scheduler
    recorder: Recorder
    monotonic: Clock
    nonce: int = 0
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def database(self) -> Database:
        """The database behind the API."""
        return self.doors.database

    # --- the chain ---------------------------------------------------------

    def register(
        self, name: str, coldkey: str | None = None, *, permit: bool = False
    ) -> str:
        """Register a hotkey (under a coldkey of its own); its address."""
        self.chain.register(
            address(name),
            address(coldkey or f"{name}-cold"),
            validator_permit=permit,
        )
        return address(name)

    def blocks(self, number: int) -> None:
        """Let the chain grow."""
        self.chain_clock.now += number * BLOCK_SECONDS
        self.later(number * BLOCK_SECONDS)

    def later(self, seconds: float) -> None:
        """Let time pass for the API, not for the chain."""
        self.clock.advance(seconds)
        self.monotonic.now += seconds

    # --- miners --------------------------------------------------------------

    def signed(
        self,
        name: str,
        method: str,
        path: str,
        body: bytes = b"",
        receiver: str = RECEIVER,
    ) -> dict[str, str]:
        """The headers that prove who sends a request."""
        return sign(keypair(name), method, path, body, receiver)

    def post(self, name: str, path: str, content: Any) -> Any:
        """A signed POST of JSON."""
        body = json.dumps(content).encode()
        headers = {
            "Content-Type": "application/json",
            **self.signed(name, "POST", path, body),
        }
        return self.client.post(path, content=body, headers=headers)

    def submit(self, name: str, **changes: Any) -> Any:
        """A signed submission; `changes` to an ordinary one."""
        return self.post(
            name, "/submit_submission", {**submission(name), **changes}
        )

    def accepted(self, name: str, **changes: Any) -> UUID:
        """Submit, and be accepted."""
        answer = self.submit(name, **changes)
        assert answer.status_code == 202, answer.text
        return UUID(answer.json()["submission_id"])

    def view(self, submission_id: UUID) -> dict[str, Any]:
        """GET /submissions/{id}."""
        answer = self.client.get(f"/submissions/{submission_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def status(self, submission_id: UUID) -> str:
        """The status of a submission."""
        return self.view(submission_id)["status"]

    # --- the platform's own work ---------------------------------------------

    def open_round(self) -> None:
        """Let the scheduler open the first round."""
        self.scheduler.turn(self.clock())

    def turn(self) -> None:
        """Let the scheduler move rounds one step."""
        self.scheduler.turn(self.clock())

    def dispatch(self) -> None:
        """Let the scheduler dispatch and publish."""
        self.scheduler.dispatch(self.clock())

    def take(self, job: str = "benchmark") -> Any:
        """Dispatch, and take the next job of a queue."""
        self.dispatch()
        return self.bus.take(f"{job}.cpu")

    def record(self, *events: Event) -> None:
        """Let the recorder hear messages, in this order.

        A result's start, with the commitment to its seed, is told before
        it where the test has left it out.
        """
        for event in events:
            report = getattr(event, "report", event)
            manifest = getattr(report, "manifest", None)
            if isinstance(event, WorkerEvent) and manifest is not None:
                self._start(event, manifest.seed_commitment)
            self.recorder.record(event)

    def _start(self, event: WorkerEvent, commitment: str) -> None:
        with self.database.read() as session:
            attempt = session.get(Attempt, event.attempt_id)
        if attempt is not None and attempt.seed_commitment is None:
            start = AttemptStarted(
                event_id=uuid4(),
                occurred_at=event.occurred_at,
                submission_id=event.submission_id,
                attempt_id=event.attempt_id,
                fencing_token=event.fencing_token,
                worker=event.worker,
                seed_commitment=commitment,
            )
            self.recorder.record(start)


def submission(name: str) -> dict[str, Any]:
    """An ordinary submission of a miner."""
    return {
        "fork_url": f"https://github.com/{name}/flash-linear-attention",
        "commit_hash": name.encode().hex().ljust(40, "0")[:40],
        "target_sequence_length": 1_000,
        "tokens_per_sec": 123.5,
    }


def settings_for(database_url: str, **changes: Any) -> Settings:
    """Settings that read nothing of this machine."""
    values: dict[str, Any] = {
        "database_url": database_url,
        "receiver_hotkey": RECEIVER,
        "netuid": NETUID,
        "chain_url": "local:///nowhere/chain.json",
        "league_unit": 500,
        "max_sequence_length": 10_000,
        "must_beat_baseline": False,
        # what is played in a test is final without a worker's second look
        "challenges_per_round": 0,
        "event_poll_seconds": 0.01,
        "event_heartbeat_seconds": 0.05,
        "metagraph_refresh_seconds": 0.001,
        "requests_per_minute": 0,
        "writes_per_minute": 0,
        "auth_failures": 0,
    }
    return Settings(_env_file=None, **{**values, **changes})


def make_world(
    database_url: str,
    directory: Path,
    *,
    peer: str = "testclient",
    **changes: Any,
) -> Iterator[World]:
    """A world over a migrated database; a generator, for fixtures.

    Nothing is limited unless a `redis_url` is given. `peer` is where
    requests come from.
    """
    settings = settings_for(database_url, **changes)
    limits = RateLimits(settings.redis_url, settings.limits)
    chain_clock, monotonic = Clock(), Clock()
    chain = LocalChain.create(
        directory / "chain.json",
        Genesis(netuid=NETUID, block_seconds=BLOCK_SECONDS),
        clock=chain_clock,
    )
    clock, bus = Moment(), FakeBus()
    doors = Doors(
        settings=settings,
        database=Database(database_url),
        bus=bus,  # type: ignore[arg-type]
        registry=Registry(lambda: chain, 0.001, 600.0),
        clock=clock,
        limits=limits if "redis_url" in changes else None,
    )
    doors = replace(doors, registry=_unhurried(chain))
    app = create_app(settings, doors)
    with TestClient(
        app, raise_server_exceptions=False, client=(peer, 50_000)
    ) as client:
        yield World(
            doors=doors,
            bus=bus,
            chain=chain,
            chain_clock=chain_clock,
            clock=clock,
            client=client,
            scheduler=Scheduler(doors, monotonic),
            recorder=Recorder(
                doors.database,
                clock=clock,
                lease_seconds=settings.lease_seconds,
                backoff_seconds=settings.retry_backoff_seconds,
            ),
            monotonic=monotonic,
        )
    doors.close()


class _unhurried(Registry):  # noqa: N801 -- reads like a function
    """A registry that reads the chain each time: the test's clocks jump."""

    def __init__(self, chain: LocalChain) -> None:
        super().__init__(lambda: chain, 0.0, 600.0, patience_seconds=60.0)
        self.chain = chain
        self.gone: Exception | None = None

    def height(self) -> int:
        if self.gone is not None:
            raise self.gone
        self._last_height = self.chain.block()
        return self._last_height


WorldMaker = Callable[..., World]


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    """A world with its first round open, on each engine in turn."""
    for made in make_world(database_url, tmp_path):
        made.open_round()
        yield made


@pytest.fixture
def sqlite_world(sqlite_url: str, tmp_path: Path) -> Iterator[World]:
    """A world with its first round open, on SQLite alone."""
    for made in make_world(sqlite_url, tmp_path):
        made.open_round()
        yield made
