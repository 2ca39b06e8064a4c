from datetime import timedelta

import pytest

from services.api.attempts import repository
from services.api.attempts.endings import give_up, not_delivered
from services.api.attempts.repository import State
from services.api.db.models import Attempt, Submission
from services.api.submissions import repository as submissions
from tests.support.judged import Worker


@pytest.fixture
def job(sqlite_world):
    sqlite_world.register("a")
    sqlite_world.accepted("a")
    return sqlite_world.take()


def end(world, job, state=State.LOST):
    with world.database.write() as session:
        found = repository.locked(session, job.attempt_id)
        assert found is not None
        give_up(
            session,
            *found,
            state,
            reason="gone",
            actor="test",
            now=world.clock(),
            backoff_seconds=5,
        )


def test_the_wait_before_another_attempt_doubles(sqlite_world, job):
    world = sqlite_world
    for seconds in (5, 10):
        world.record(Worker(world.clock).started(job))
        end(world, job)
        with world.database.read() as session:
            row = session.get(Submission, job.submission_id)
            assert row is not None
            assert row.not_before == world.clock() + timedelta(seconds=seconds)
        world.later(seconds)
        job = world.take()


def test_the_platforms_own_words_are_for_its_operator_alone(sqlite_world, job):
    world, worker = sqlite_world, Worker(sqlite_world.clock)
    world.record(
        worker.started(job),
        worker.failed(job).model_copy(update={"reason": "/srv: Errno 13"}),
    )
    with world.database.read() as session:
        row = session.get(Attempt, job.attempt_id)
        last = submissions.history(session, job.submission_id, 0)[-1]
        assert row is not None
        assert row.reason == "fetch: /srv: Errno 13"
    assert last.evidence == {
        "attempt": 1,
        "worker": "worker-1",
        "outcome": "failed",
        "stage": "fetch",
    }


def test_an_attempt_that_ends_before_it_began_leaves_it_queued(
    sqlite_world, job
):
    end(sqlite_world, job, State.FAILED)
    assert sqlite_world.status(job.submission_id) == "queued"


def test_a_message_that_was_lost_does_not_count(sqlite_world, job):
    world = sqlite_world
    for _ in range(5):
        with world.database.write() as session:
            found = repository.locked(session, job.attempt_id)
            assert found is not None
            not_delivered(session, found[1], world.clock())
        job = world.take()
    assert job.attempt_number == 6
    assert world.status(job.submission_id) == "queued"
