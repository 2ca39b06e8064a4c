from datetime import timedelta
from uuid import uuid4

from services.api.attempts import repository
from services.api.attempts.repository import Job
from tests.support.judged import Worker, play


def test_attempts_are_counted_by_what_became_of_them(sqlite_world):
    world = sqlite_world
    world.register("a")
    submission_id = world.accepted("a")
    worker, job = Worker(world.clock), world.take()
    world.record(worker.started(job))
    with world.database.read() as session:
        assert repository.made(session, submission_id, Job.BENCHMARK) == 1
        assert repository.spent(session, submission_id, Job.BENCHMARK) == 0
        assert repository.waiting(session, Job.BENCHMARK, "cpu") == 0
        assert repository.busy_workers(session) == {("worker-1", "benchmark")}
        assert repository.expired(session, world.clock()) == []
        later = world.clock() + timedelta(seconds=60)
        assert len(repository.expired(session, later)) == 1
    world.record(worker.failed(job))
    with world.database.read() as session:
        assert repository.spent(session, submission_id, Job.BENCHMARK) == 1


def test_the_usual_time_is_that_of_the_last_finished(sqlite_world):
    world = sqlite_world
    with world.database.read() as session:
        assert repository.usual_seconds(session) == 0
    world.register("a")
    world.accepted("a")
    worker, job = Worker(world.clock), world.take()
    world.record(worker.started(job))
    world.later(30)
    world.record(worker.rejected(job))
    with world.database.read() as session:
        assert repository.usual_seconds(session) == 30


def test_an_attempt_that_is_not_there_is_not_locked(sqlite_world):
    with sqlite_world.database.write() as session:
        assert repository.locked(session, uuid4()) is None


def test_messages_are_counted_by_queue(sqlite_world):
    world = sqlite_world
    world.register("a")
    play(world, "a")
    world.register("b")
    world.accepted("b")
    world.dispatch()
    with world.database.read() as session:
        assert repository.outstanding_by_queue(session) == {
            ("benchmark", "cpu"): 1
        }
        assert repository.undelivered(session, world.clock()) == []
        later = world.clock() + timedelta(seconds=31)
        assert len(repository.undelivered(session, later)) == 1
