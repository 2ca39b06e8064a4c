"""The faults of the platform that its processes meet, one function each.

A scenario sends submissions, breaks something while they are judged, mends
it, and gives the submissions back. That each of them then has its one result
is for the runner to see; a scenario asserts only what is its own.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import httpx2
from quasar_core.domain.submissions import Status
from quasar_core.errors import Stage
from quasar_core.messaging.dead import dead_queue
from quasar_core.messaging.topology import RECORDING
from sqlalchemy import func, select

from deploy.local.pool.platform import QUEUES
from services.api.attempts.states import State
from services.api.db.models import Attempt, Submission
from services.api.db.records import OutboxRow
from tests.faults.arena import POISON, Arena

BATCH = 4
JOBS = QUEUES["benchmark"]
AWAY_SECONDS = 6.0
BROKER_AWAY_SECONDS = 120.0


@dataclass(frozen=True)
class Broken:
    """What a scenario leaves: submissions, and where each must end."""

    ids: Sequence[UUID]
    ends: Mapping[UUID, Status]

    @classmethod
    def scored(cls, ids: Sequence[UUID]) -> Broken:
        """All of them are right."""
        return cls(ids, dict.fromkeys(ids, Status.SCORED))


@dataclass(frozen=True)
class Fault:
    """A fault of operations: its name, and how to bring it about.

    `needs` is a part of the machine without which it cannot be brought
    about: a PostgreSQL, a file system of a size, a compiler.
    """

    name: str
    strike: Callable[[Arena], Broken]
    needs: str = ""


# --- the API -----------------------------------------------------------------


def api_killed_mid_request(arena: Arena) -> Broken:
    """SIGKILL of the web while requests are under way, from another thread.

    Who got no answer asks again, and must find one submission.
    """
    from concurrent.futures import ThreadPoolExecutor

    bodies = [arena.body() for _ in range(4 * BATCH)]

    def once(content: dict[str, object]) -> UUID | None:
        try:
            answer = arena.post(content)
        except httpx2.TransportError:
            return None
        assert answer.status_code == 202, answer.text
        return UUID(answer.json()["submission_id"])

    with ThreadPoolExecutor(BATCH) as pool:
        sent = [pool.submit(once, content) for content in bodies]
        arena.eventually(lambda: any(one.done() for one in sent), "an answer")
        arena.strike()
        arena.kill("web")
        answers = [one.result() for one in sent]
    ids = []
    for content, answered in zip(bodies, answers, strict=True):
        found = arena.sent_until_accepted(content)
        assert answered in {None, found}, "a 202 was not kept"
        ids.append(found)
    return Broken.scored(ids)


def api_killed_before_publishing(arena: Arena) -> Broken:
    """SIGKILL of web and scheduler between a 202 and its publishing."""
    arena.end("scheduler")
    ids = arena.submit(BATCH)
    arena.strike()
    arena.kill("web")
    with arena.platform.database.read() as session:
        made = session.scalar(
            select(func.count())
            .select_from(Attempt)
            .where(Attempt.submission_id.in_(ids))
        )
    assert made == 0, "something was dispatched already"
    arena.bring_back("scheduler")
    return Broken.scored(ids)


# --- the broker --------------------------------------------------------------


def broker_restarted_empty(arena: Arena) -> Broken:
    """SIGKILL of the broker while jobs run; it comes back with nothing."""
    ids, _ = arena.strike_at_work(BATCH)
    arena.end("broker")
    arena.bring_back("broker")
    return Broken.scored(ids)


def broker_restarted_with_yesterdays_data(arena: Arena) -> Broken:
    """It comes back with what it had some time ago: messages come again."""
    arena.end("recorder")
    ids = arena.submit(BATCH)
    try:
        arena.eventually(
            lambda: arena.redis.llen(RECORDING) >= 2, "facts in the queue"
        )
        arena.redis.save()
    finally:
        arena.bring_back("recorder")
    arena.worker_at(ids)
    arena.strike()
    arena.end("broker")
    arena.bring_back("broker")
    snapshot = arena.platform.folder / "broker" / "dump.rdb"
    assert snapshot.is_file()
    snapshot.unlink()
    return Broken.scored(ids)


def broker_emptied(arena: Arena) -> Broken:
    """FLUSHALL while jobs run."""
    ids, _ = arena.strike_at_work(BATCH)
    arena.redis.flushall()
    return Broken.scored(ids)


def broker_away(arena: Arena) -> Broken:
    """It is away for minutes, and what is sent in meanwhile is accepted.

    What is counted there is not limited then.
    """
    ids, _ = arena.strike_at_work(BATCH)
    before = arena.metric("quasar_limits_open_total")
    arena.end("broker")
    ids += arena.submit(BATCH)
    assert arena.metric("quasar_limits_open_total") > before
    time.sleep(BROKER_AWAY_SECONDS)
    arena.bring_back("broker")
    return Broken.scored(ids)


# --- the database ------------------------------------------------------------


def database_crashed(arena: Arena) -> Broken:
    """A crash of the server while jobs run, and a start."""
    assert arena.postgres is not None
    ids, _ = arena.strike_at_work(BATCH)
    arena.postgres.crash()
    arena.postgres.start()
    return Broken.scored(ids)


def database_away(arena: Arena) -> Broken:
    """It is away for a while: 503 and Retry-After, and nothing stored."""
    assert arena.postgres is not None
    ids, _ = arena.strike_at_work(BATCH)
    arena.postgres.crash()
    content = arena.body()
    answer = arena.post(content)
    assert answer.status_code == 503, answer.text
    assert "Retry-After" in answer.headers
    time.sleep(AWAY_SECONDS)
    arena.postgres.start()
    ids.append(arena.sent_until_accepted(content))
    return Broken.scored(ids)


def database_connections_cut(arena: Arena) -> Broken:
    """Every connection is cut, three times, while jobs run."""
    assert arena.postgres is not None
    ids, _ = arena.strike_at_work(BATCH)
    for _ in range(3):
        assert arena.postgres.cut_connections() > 0
        time.sleep(0.5)
    return Broken.scored(ids)


# --- workers -----------------------------------------------------------------


def worker_killed_after(stage: Stage) -> Callable[[Arena], Broken]:
    """SIGKILL of a worker that has told of this stage and no later one."""

    def strike(arena: Arena) -> Broken:
        ids, worker = arena.strike_at_work(2, stage)
        arena.kill(worker)
        return Broken.scored(ids)

    return strike


def worker_killed_with_a_result_on_its_disk(arena: Arena) -> Broken:
    """It could not publish, and was killed: the next start hands it in."""
    ids, worker = arena.strike_at_work(1, Stage.SMOKE)
    arena.freeze("broker")
    try:
        arena.eventually(lambda: arena.spooled(worker), "a spooled result")
        arena.kill(worker)
    finally:
        arena.thaw("broker")
    return Broken.scored(ids)


def verifier_killed(arena: Arena) -> Broken:
    """SIGKILL of the verifier in the middle of a verification."""
    ids, worker = arena.strike_at_work(2, kind="verification")
    arena.kill(worker)
    return Broken.scored(ids)


def worker_frozen(arena: Arena) -> Broken:
    """Frozen for longer than its lease; then it hands its result in."""
    ids, worker = arena.strike_at_work(2, Stage.SCREEN)
    arena.freeze(worker)
    try:
        arena.eventually(lambda: _lost(arena, worker, ids), "a lost lease")
    finally:
        arena.thaw(worker)
    return Broken.scored(ids)


def worker_cut_off(arena: Arena) -> Broken:
    """Cut off from the broker for longer than its lease, and judging on."""
    ids, worker = arena.strike_at_work(2, Stage.SCREEN)
    arena.redis.execute_command("ACL", "SETUSER", worker, "off")
    try:
        arena.redis.execute_command("CLIENT", "KILL", "USER", worker)
        arena.eventually(lambda: _lost(arena, worker, ids), "a lost lease")
        assert arena.spooled(worker), "it has nothing to hand in later"
    finally:
        arena.redis.execute_command("ACL", "SETUSER", worker, "on")
    return Broken.scored(ids)


def _lost(arena: Arena, worker: str, ids: Sequence[UUID]) -> bool:
    query = select(Attempt.id).where(
        Attempt.submission_id.in_(ids),
        Attempt.worker == worker,
        Attempt.state == State.LOST,
    )
    with arena.platform.database.read() as session:
        return session.scalars(query).first() is not None


# --- messages ----------------------------------------------------------------


def facts_twice_and_out_of_order(arena: Arena) -> Broken:
    """Every fact twice, shuffled, while the recorder was away."""
    arena.end("recorder")
    try:
        ids = arena.submit(2)
        arena.strike()
        arena.eventually(
            lambda: arena.redis.llen(RECORDING) >= 12, "facts in the queue"
        )
        facts = arena.redis.lrange(RECORDING, 0, -1)
        twice = [*facts, *facts]
        random.Random(len(facts)).shuffle(twice)
        arena.redis.ltrim(RECORDING, 0, -1 - len(facts))
        arena.redis.lpush(RECORDING, *twice)
    finally:
        arena.bring_back("recorder")
    return Broken.scored(ids)


def one_job_for_two_workers(arena: Arena) -> Broken:
    """Jobs that lie in the queue twice, and two workers who take them."""
    workers = arena.platform.crew.names("benchmark")
    arena.freeze(*workers)
    try:
        ids = arena.submit(BATCH)
        arena.eventually(lambda: arena.redis.llen(JOBS), "jobs in the queue")
        jobs = arena.redis.lrange(JOBS, 0, -1)
        arena.strike()
        arena.redis.lpush(JOBS, *jobs)
    finally:
        arena.thaw(*workers)
    return Broken.scored(ids)


def malformed_messages(arena: Arena) -> Broken:
    """What is not of our making, on both sides of the queue."""
    queues = (JOBS, RECORDING)
    before = {q: arena.redis.llen(dead_queue(q)) for q in queues}
    ids = arena.submit(2)
    arena.strike()
    for queue in queues:
        arena.redis.lpush(
            queue, b"\xff\x00", b"{", json.dumps({"body": {}}).encode()
        )
    arena.eventually(
        lambda: all(
            arena.redis.llen(dead_queue(q)) >= before[q] + 3 for q in queues
        ),
        "all of it is set aside",
    )
    return Broken.scored(ids)


def poison(arena: Arena) -> Broken:
    """A submission that kills its worker each time; others go on."""
    arena.strike()
    (bad,) = arena.submit(1, begins=POISON)
    good = arena.submit(2)
    arena.eventually(
        lambda: (
            arena.revive(),
            arena.statuses([bad])[bad] == Status.INFRA_FAILED,
        )[1],
        "the poison is given up",
    )
    query = select(func.count()).where(
        Attempt.submission_id == bad, Attempt.state == State.LOST
    )
    with arena.platform.database.read() as session:
        assert session.scalar(query) == 3
    ends = {**dict.fromkeys(good, Status.SCORED), bad: Status.INFRA_FAILED}
    return Broken([bad, *good], ends)


# --- recorder and scheduler --------------------------------------------------


def recorder_killed_mid_transaction(arena: Arena) -> Broken:
    """SIGKILL of the recorder while it waits for a row that we hold."""
    assert arena.postgres is not None
    ids, _ = arena.strike_at_work(2, Stage.SMOKE)
    with arena.platform.database.write() as session:
        session.scalars(
            select(Submission).where(Submission.id.in_(ids)).with_for_update()
        ).all()
        arena.eventually(arena.postgres.waiting_for_locks, "it waits for us")
        arena.kill("recorder")
        arena.eventually(
            lambda: arena.platform.processes.has_ended("recorder"), "its end"
        )
    return Broken.scored(ids)


def recorder_killed_under_way(arena: Arena) -> Broken:
    """SIGKILL of the recorder, three times, at moments of their own."""
    ids = arena.submit(BATCH)
    draw = random.Random(str(ids[0]))
    arena.strike()
    for _ in range(3):
        arena.worker_at(ids)
        time.sleep(draw.random())
        arena.kill("recorder")
        arena.eventually(
            lambda: arena.platform.processes.has_ended("recorder"), "its end"
        )
        arena.revive()
    return Broken.scored(ids)


def scheduler_killed(arena: Arena) -> Broken:
    """SIGKILL of the scheduler while it dispatches, and a new one."""
    ids, _ = arena.strike_at_work(BATCH)
    arena.kill("scheduler")
    return Broken.scored(ids)


def two_schedulers(arena: Arena) -> Broken:
    """Two at once, of which the first is killed."""
    processes = arena.platform.processes
    first = processes.program("scheduler")
    arena.strike()
    processes.start(replace(first, name="scheduler-2"))
    try:
        ids = arena.submit(2 * BATCH)
        arena.worker_at(ids)
        arena.end("scheduler")
        arena.await_ends(ids)
    finally:
        arena.bring_back("scheduler")
        processes.end("scheduler-2")
    with arena.platform.database.read() as session:
        left = session.scalar(
            select(func.count()).where(OutboxRow.published_at.is_(None))
        )
    assert left == 0, "something was never published"
    return Broken.scored(ids)
