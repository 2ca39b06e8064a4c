"""The queue: dispatch, leases and lost messages, on both engines."""

# pylint: disable=redefined-outer-name,protected-access

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from quasar_core.contracts.events import WorkerSeen
from quasar_core.errors import Stage
from sqlalchemy import select, text, update

from services.api.attempts import repository
from services.api.db.models import Attempt
from services.api.db.records import OutboxRow
from services.api.scheduler import Scheduler
from services.api.submissions import repository as submissions
from tests.support.api import make_world
from tests.support.judged import Worker
from tests.support.waiting import eventually


@pytest.fixture
def worker(world):
    return Worker(world.clock)


def miners(world, *names):
    ids = {}
    for name in names:
        world.register(name)
        ids[name] = world.accepted(name)
    return ids


def check(world):
    return world.scheduler._leases.check(world.clock())


def test_at_most_two_messages_wait_in_a_queue(world, worker):
    miners(world, "a", "b", "c", "d")
    world.dispatch()
    world.dispatch()
    assert world.bus.depth("benchmark.cpu") == 2
    world.record(worker.started(world.bus.take("benchmark.cpu")))
    world.dispatch()
    assert world.bus.depth("benchmark.cpu") == 2


def test_commitments_come_in_order_and_coldkeys_take_turns(world, worker):
    world.register("greedy-1", "greedy")
    world.register("modest")
    first = world.accepted("greedy-1")
    second = world.accepted("greedy-1", target_sequence_length=500)
    third = world.accepted("modest")
    order = [world.take().submission_id for _ in range(2)]
    assert order == [first, third]
    assert second not in order


def test_a_silent_worker_loses_its_lease_and_a_beating_one_does_not(
    world, worker
):
    ids = miners(world, "a")
    job = world.take()
    world.record(worker.started(job))
    world.later(44)
    assert check(world) == 0
    world.record(worker.at(job, Stage.SMOKE))
    world.later(44)
    assert check(world) == 0
    world.later(2)
    assert check(world) == 1
    assert world.status(ids["a"]) == "queued"
    world.record(worker.benchmarked(job))
    assert world.status(ids["a"]) == "queued", "its token is stale"


def test_a_poison_submission_is_given_up_after_three_workers(world, worker):
    ids = miners(world, "poison", "honest")
    for _ in range(3):
        job = next(
            job
            for job in iter(world.take, None)
            if job.submission_id == ids["poison"]
        )
        world.record(worker.started(job))
        world.later(46)
        check(world)
        world.later(60)
    assert world.status(ids["poison"]) == "infra_failed"
    assert world.status(ids["honest"]) == "queued"


def test_a_heartbeat_that_waits_to_be_recorded_keeps_the_lease(world, worker):
    miners(world, "a")
    job = world.take()
    world.record(worker.started(job))
    world.bus.publish(worker.at(job, Stage.SMOKE))
    world.later(60)
    assert check(world) == 0
    world.record(world.bus.take("recording"))
    assert check(world) == 0
    world.bus.publish(worker.started(job))
    world.later(700)
    assert check(world) == 1, "but not for ever"


def test_while_the_broker_is_away_nobody_is_silent(world, worker):
    miners(world, "a")
    job = world.take()
    world.record(worker.started(job))
    world.bus.away = True
    world.later(300)
    assert check(world) == 0
    world.bus.away = False
    assert check(world) == 0, "workers get a lease's time to speak"
    world.later(46)
    assert check(world) == 1


def test_a_message_that_is_lost_is_sent_again_and_costs_nothing(world, worker):
    ids = miners(world, "a", "b")
    world.dispatch()
    world.bus.queues.clear()
    world.later(29)
    assert check(world) == 0
    world.later(2)
    assert check(world) == 2
    again = [world.take(), world.take()]
    assert {job.submission_id for job in again} == set(ids.values())
    for job in again:
        world.record(worker.started(job))
        assert world.status(job.submission_id) == "benchmarking"


def test_a_message_that_still_waits_for_a_busy_worker_is_not_lost(
    world, worker
):
    miners(world, "a", "b")
    busy = world.take()
    world.record(worker.started(busy))
    world.later(31)
    world.record(worker.at(busy, Stage.TIMED))
    assert check(world) == 0
    assert world.bus.depth("benchmark.cpu") == 1


def test_only_as_many_messages_are_lost_as_are_missing(world, worker):
    miners(world, "a", "b")
    first = world.take()
    world.later(31)
    assert check(world) == 1, "it was taken, and nobody spoke of it"
    world.record(worker.started(first))
    assert world.status(first.submission_id) == "queued", "too late"


def test_a_killed_schedulers_claim_runs_out(world):
    miners(world, "a")
    with world.database.write() as session:
        from services.api.attempts.dispatching import dispatch
        from services.api.attempts.repository import Job
        from services.api.db import outbox

        dispatch(session, Job.BENCHMARK, "cpu", 2, world.clock())
        session.flush()
        assert len(outbox.claim(session, world.clock())) == 1
    world.dispatch()
    assert world.bus.depth("benchmark.cpu") == 0
    world.later(16)
    world.dispatch()
    assert world.bus.depth("benchmark.cpu") == 1


def test_what_was_published_but_not_noted_is_published_again(world, worker):
    ids = miners(world, "a")
    job = world.take()
    with world.database.write() as session:
        session.execute(update(OutboxRow).values(published_at=None))
    again = world.take()
    assert again == job
    world.record(
        worker.started(job), worker.fetched(job), worker.benchmarked(job)
    )
    other = Worker(world.clock, "worker-2")
    world.record(other.started(again), other.rejected(again))
    assert world.status(ids["a"]) == "verifying"


def test_schedulers_side_by_side_make_one_attempt_each(world):
    ids = miners(world, *(f"m{n}" for n in range(8)))
    schedulers = [Scheduler(world.doors, world.monotonic) for _ in range(3)]
    for scheduler in schedulers:
        for duty in scheduler.duties:
            duty.every_seconds = 0.0

    def work(scheduler):
        for _ in range(5):
            scheduler.tick()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, schedulers))
    with world.database.read() as session:
        attempts = session.scalars(select(Attempt)).all()
    assert len(attempts) == 2
    assert {a.submission_id for a in attempts} <= set(ids.values())
    published = Counter(
        job.attempt_id for job in world.bus.queues["benchmark.cpu"]
    )
    assert set(published) == {a.id for a in attempts}
    assert set(published.values()) == {1}


def test_who_waits_for_a_submission_does_not_hold_its_attempt(
    postgres_database_url, tmp_path
):
    for world in make_world(postgres_database_url, tmp_path):
        world.open_round()
        miners(world, "a")
        job, database = world.take(), world.database

        def follow(job=job, database=database):
            with database.write() as session:
                found = repository.locked(session, job.attempt_id)
                return found and (found[0].stage, found[1].reason)

        with ThreadPoolExecutor(1) as pool, database.write() as session:
            submission = submissions.locked(session, job.submission_id)
            assert submission is not None
            second = pool.submit(follow)
            eventually(partial(lock_is_awaited, database), "the wait")
            attempt = session.scalars(
                select(Attempt)
                .where(Attempt.id == job.attempt_id)
                .with_for_update(nowait=True)
            ).one()
            submission.stage, attempt.reason = Stage.FETCH, "was first"
            session.commit()
            assert second.result() == (Stage.FETCH, "was first")


def lock_is_awaited(database):
    waits = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with database.read() as session:
        return session.scalar(waits)


def test_submissions_posted_at_once_are_all_there_once(world):
    names = [f"m{n}" for n in range(6)]
    for name in names:
        world.register(name)

    def send(name):
        return [world.submit(name).status_code for _ in range(2)]

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(send, names))
    assert answers == [[202, 200]] * 6
    stats = world.client.get("/get_submission_stats").json()
    assert stats["by_status"] == {"queued": 6}


def test_one_miner_at_once_from_many_places_has_one_submission(world):
    world.register("alice")
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: world.submit("alice"), range(6)))
    assert sorted(a.status_code for a in answers) == [200] * 5 + [202]
    assert len({a.json()["submission_id"] for a in answers}) == 1


def test_workers_are_shown_with_what_they_do(world, worker):
    import uuid

    miners(world, "a")
    seen = WorkerSeen(
        event_id=uuid.uuid4(),
        occurred_at=world.clock(),
        worker="worker-1",
        pool="cpu",
        role="benchmark",
        environment={"torch": "2"},
    )
    world.record(seen)
    world.record(worker.started(world.take()))
    stats = world.client.get("/get_submission_stats").json()
    assert [(w["worker"], w["busy"]) for w in stats["workers"]] == [
        ("worker-1", True)
    ]
    world.record(seen.model_copy(update={"event_id": uuid.uuid4()}))
    assert len(stats["workers"]) == 1
