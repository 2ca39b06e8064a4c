from datetime import timedelta

import pytest

from services.api.recording.facts import begin, scene_of
from tests.support.judged import Worker


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
        begin(found, "worker-1")
        begin(found, "worker-1")
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
