"""The arena: a platform at work, and the hands that break it."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import httpx2
import redis
from quasar_core.chain.signatures import sign
from quasar_core.domain.submissions import Status
from quasar_core.errors import Stage
from sqlalchemy import select

from deploy.local.load.shots import MINERS, PATH, RECEIVER, key
from deploy.local.pool.platform import API, Crew, PoolPlatform
from services.api.attempts.states import State
from services.api.db.models import Attempt, Submission
from services.api.db.session import DatabaseUnavailable
from tests.faults.database import BreakablePostgres
from tests.support.waiting import eventually

STAGES = (Stage.SCREEN, Stage.SMOKE, Stage.CORRECTNESS, Stage.TIMED)
T = TypeVar("T")

CREW = Crew(
    benchmark=2,
    verifier=1,
    seconds=1.6,
    stages=STAGES,
    environment={
        "QUASAR_HEARTBEAT_SECONDS": "0.5",
        "QUASAR_SEEN_SECONDS": "1",
        "QUASAR_CANARY_SECONDS": "0",
    },
)
LEASE_SECONDS = 4.0
SETTINGS = {
    "QUASAR_LEASE_SECONDS": str(LEASE_SECONDS),
    "QUASAR_LEASE_GRACE_SECONDS": "30",
    "QUASAR_DISPATCH_LOST_SECONDS": "3",
    "QUASAR_RETRY_BACKOFF_SECONDS": "0.2",
    # limits are counted in the broker: they are on, and out of reach
    "QUASAR_REQUESTS_PER_MINUTE": "1000000",
    "QUASAR_WRITES_PER_MINUTE": "1000000",
}
PATIENCE_SECONDS = 180.0
POLL_SECONDS = 0.05
POISON = "dead"
"""A commit that begins so kills the worker that fetches it."""


class Arena:
    """A platform at work; whatever dies in it is started again.

    As an init system would: a process that has ended is started anew at the
    next look, unless it is `down` on purpose.
    """

    def __init__(
        self,
        folder: Path,
        database_url: str,
        postgres: BreakablePostgres | None = None,
        crew: Crew = CREW,
    ) -> None:
        self.postgres = postgres
        self.platform = PoolPlatform(
            folder, database_url, replace(crew, poison=POISON), SETTINGS
        )
        self.redis = redis.Redis.from_url(self.platform.doors.platform)
        self.down: set[str] = set()
        self.struck_at = 0.0
        self._sent = 0

    def start(self) -> None:
        """Start everything; each worker was heard when this returns."""
        self.platform.start()
        self.platform.await_workers()

    def close(self) -> None:
        """End everything."""
        self.redis.close()
        self.platform.stop()

    @property
    def url(self) -> str:
        """Where the API answers."""
        return f"http://127.0.0.1:{self.platform.port}"

    # --- miners --------------------------------------------------------------

    def submit(self, count: int = 1, begins: str = "") -> list[UUID]:
        """Send submissions, each until it was accepted."""
        return [
            self.sent_until_accepted(self.body(begins)) for _ in range(count)
        ]

    def body(self, begins: str = "") -> dict[str, object]:
        """A submission that nobody has sent yet."""
        self._sent += 1
        commit = hashlib.sha256(f"{self._sent}".encode()).hexdigest()
        # no other commit may be taken for poison
        commit = begins + commit.replace("d", "0")
        return {
            "fork_url": "https://github.com/some-miner/fork",
            "commit_hash": commit[:40],
            "target_sequence_length": 100_000 * (1 + self._sent % 10),
        }

    def post(self, content: dict[str, object]) -> httpx2.Response:
        """Sign and send it once; httpx2.TransportError without an answer."""
        miner = key(f"miner-{self._sent % MINERS}")
        body = json.dumps(content).encode()
        headers = sign(miner, "POST", PATH, body, RECEIVER)
        return httpx2.post(
            f"{self.url}{PATH}",
            content=body,
            headers={"Content-Type": "application/json", **headers},
            timeout=20,
        )

    def sent_until_accepted(self, content: dict[str, object]) -> UUID:
        """As a patient miner does: again after 503, or without an answer."""

        def accepted() -> UUID | None:
            self.revive()
            try:
                answer = self.post(content)
            except httpx2.TransportError:
                return None
            if answer.status_code == 503:
                assert "Retry-After" in answer.headers, answer.text
                return None
            # 200: it was in, though its 202 was never read
            assert answer.status_code in {200, 202}, answer.text
            return UUID(answer.json()["submission_id"])

        return self.eventually(accepted, "a submission is accepted")

    # --- breaking ------------------------------------------------------------

    def strike(self) -> None:
        """The fault begins now: recovery counts from here."""
        self.struck_at = time.monotonic()

    def strike_at_work(
        self, count: int, stage: Stage | None = None, kind: str = "benchmark"
    ) -> tuple[list[UUID], str]:
        """Strike while a worker has one of so many submissions in hand.

        What was sent in, and that worker; see `worker_at`.
        """
        ids = self.submit(count)
        worker = self.worker_at(ids, stage, kind)
        self.strike()
        return ids, worker

    def kill(self, *names: str) -> None:
        """SIGKILL processes, all at once."""
        for name in names:
            os.kill(self.platform.processes.pid(name), signal.SIGKILL)

    def freeze(self, *names: str) -> None:
        """SIGSTOP processes: they are there, and silent."""
        for name in names:
            os.kill(self.platform.processes.pid(name), signal.SIGSTOP)

    def thaw(self, *names: str) -> None:
        """Let them go on."""
        for name in names:
            os.kill(self.platform.processes.pid(name), signal.SIGCONT)

    def end(self, *names: str) -> None:
        """Take processes away for good, until `revive` after `down`."""
        for name in names:
            self.down.add(name)
            self.platform.processes.end(name, grace_seconds=0.0)

    def bring_back(self, *names: str) -> None:
        """Start again what was taken away."""
        for name in names:
            self.down.discard(name)
            program = self.platform.processes.program(name)
            self.platform.processes.start(program, wait=name == "broker")

    def revive(self) -> None:
        """Start again whatever has died."""
        processes = self.platform.processes
        for name in (*API, *self.platform.workers, "broker"):
            if name not in self.down and processes.has_ended(name):
                processes.end(name, grace_seconds=0.0)
                processes.start(processes.program(name), wait=False)

    # --- looking -------------------------------------------------------------

    def eventually(
        self,
        claim: Callable[[], T | None],
        what: str,
        seconds: float = PATIENCE_SECONDS,
    ) -> T:
        """The first true value; AssertionError where none comes."""
        return eventually(claim, what, seconds)

    def statuses(self, ids: Collection[UUID]) -> dict[UUID, str]:
        """Where submissions stand."""
        query = select(Submission.id, Submission.status).where(
            Submission.id.in_(ids)
        )
        with self.platform.database.read() as session:
            return {row[0]: row[1] for row in session.execute(query)}

    def await_ends(
        self, ids: Collection[UUID], ends: Iterable[Status] = (Status.SCORED,)
    ) -> bool:
        """Whether all of them came to an end, within our patience."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        wanted = set(ends)
        while time.monotonic() < deadline:
            self.revive()
            try:
                found = self.statuses(ids)
            except DatabaseUnavailable:
                found = {}
            if len(found) == len(ids) and set(found.values()) <= wanted:
                return True
            time.sleep(POLL_SECONDS)
        return False

    def started(self, ids: Sequence[UUID], kind: str) -> list[Attempt]:
        """The attempts at these that a worker has under way."""
        query = select(Attempt).where(
            Attempt.submission_id.in_(ids),
            Attempt.kind == kind,
            Attempt.state == State.STARTED,
        )
        with self.platform.database.read() as session:
            return list(session.scalars(query))

    def attempt_states(self, ids: Sequence[UUID]) -> set[str]:
        """What became of the attempts at these, so far."""
        query = select(Attempt.state).where(Attempt.submission_id.in_(ids))
        with self.platform.database.read() as session:
            return set(session.scalars(query))

    def worker_at(
        self,
        ids: list[UUID],
        stage: Stage | None = None,
        kind: str = "benchmark",
    ) -> str:
        """A worker that has one of these in hand, at or past this stage.

        Where all of them went by unseen, another one is sent in.
        """

        def found() -> str | None:
            if set(self.statuses(ids).values()) <= {Status.SCORED}:
                ids.extend(self.submit())
            for attempt in self.started(ids, kind):
                with self.platform.database.read() as session:
                    row = session.get(Submission, attempt.submission_id)
                if row and (stage is None or row.stage == stage):
                    return attempt.worker
            return None

        return self.eventually(found, f"a {kind} worker at {stage}")

    def metric(self, name: str) -> float:
        """The sum of a counter or gauge of the web's."""
        text = httpx2.get(f"{self.url}/metrics").text
        return sum(
            float(line.rpartition(" ")[2])
            for line in text.splitlines()
            if line.startswith((f"{name} ", f"{name}{{"))
        )

    def spooled(self, worker: str) -> list[Path]:
        """The results of a worker that wait on its disk."""
        home = self.platform.folder / "machines" / worker / "state"
        return list(home.rglob("*.event"))
