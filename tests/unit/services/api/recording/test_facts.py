from datetime import timedelta

import pytest
from quasar_core.errors import Stage
from sqlalchemy import select

from services.api.db.models import Attempt
from services.api.db.records import LogRow
from services.api.recording.facts import begin, scene_of
from tests.support.judged import COMMITMENT, Worker


@pytest.fixture
def job(sqlite_world):
    sqlite_world.register("a")
    sqlite_world.accepted("a")
    return sqlite_world.take()


def scene(world, session, event):
    return scene_of(
        session,
        event,
        now=world.clock(),
        lease_seconds=45,
        backoff_seconds=5,
    )


def test_a_token_opens_its_own_attempt_for_its_own_worker(sqlite_world, job):
    world, worker = sqlite_world, Worker(sqlite_world.clock)
    with world.database.write() as session:
        found = scene(world, session, worker.started(job))
        assert found is not None
        assert found.live
        begin(found, worker.started(job))
        begin(found, worker.started(job))
        assert found.attempt.lease_until == world.clock() + timedelta(
            seconds=45
        )
        session.flush()
        other = Worker(world.clock, "worker-2").started(job)
        assert scene(world, session, other) is None
        forged = worker.started(job).model_copy(
            update={"fencing_token": "0" * 32}
        )
        assert scene(world, session, forged) is None


def test_a_lost_attempt_is_over(sqlite_world, job):
    world, worker = sqlite_world, Worker(sqlite_world.clock)
    world.record(worker.failed(job))
    with world.database.write() as session:
        assert scene(world, session, worker.started(job)) is None


def commitment(world, job):
    with world.database.read() as session:
        attempt = session.get(Attempt, job.attempt_id)
        assert attempt is not None
        return attempt.seed_commitment


def test_a_seed_is_committed_to_once(sqlite_world, job):
    world, worker = sqlite_world, Worker(sqlite_world.clock)
    first = worker.started(job)
    again = worker.started(job).model_copy(
        update={"seed_commitment": "0" * 64}
    )
    world.record(first, again)
    assert commitment(world, job) == COMMITMENT


def test_a_start_that_comes_late_still_binds_the_run(sqlite_world, job):
    world, worker = sqlite_world, Worker(sqlite_world.clock)
    world.record(worker.passed(job, Stage.FETCH))
    assert commitment(world, job) is None
    world.record(worker.started(job))
    assert commitment(world, job) == COMMITMENT
    with world.database.read() as session:
        newest = session.scalars(
            select(LogRow).order_by(LogRow.sequence.desc()).limit(1)
        ).one()
    assert newest.evidence["seed_commitment"] == COMMITMENT
