from datetime import timedelta

import pytest
from quasar_core.domain.canaries import Canary

from services.api.attempts import harm, repository
from services.api.attempts.endings import give_up
from services.api.attempts.repository import State
from services.api.db.models import Submission
from tests.support.events import canary_completed, right_canaries
from tests.support.judged import Worker


class Pool:
    """Two workers that a submission is sent to, one after the other."""

    def __init__(self, world, healthy=("w1", "w2")):
        self.world = world
        for name in healthy:
            world.record(*right_canaries(name))
        world.later(60)
        world.register("a")
        self.submission_id = world.accepted("a")

    def run(self, name, ending="harmed"):
        """The next attempt, on this worker, and how it ends."""
        world = self.world
        job = world.take()
        worker = Worker(world.clock, name)
        world.record(worker.started(job))
        world.later(5)
        if ending == "lost":
            self._lose(job)
        else:
            world.record(getattr(worker, ending)(job))
        world.later(10)

    def _lose(self, job):
        with self.world.database.write() as session:
            found = repository.locked(session, job.attempt_id)
            assert found is not None
            give_up(
                session,
                *found,
                State.LOST,
                reason="the worker went silent",
                actor="scheduler",
                now=self.world.clock(),
                backoff_seconds=5,
            )

    def canaries(self, name):
        self.world.record(*right_canaries(name))

    @property
    def status(self):
        return self.world.status(self.submission_id)

    def waits(self):
        """How long the submission waits for its next attempt."""
        with self.world.database.read() as session:
            row = session.get(Submission, self.submission_id)
            assert row is not None
            return (row.not_before or self.world.clock()) - self.world.clock()


@pytest.fixture
def pool(sqlite_world):
    return Pool(sqlite_world)


@pytest.mark.parametrize("endings", [("harmed", "harmed"), ("lost", "harmed")])
def test_who_breaks_two_healthy_workers_is_turned_down(pool, endings):
    pool.run("w1", endings[0])
    pool.canaries("w1")
    pool.run("w2", endings[1])
    assert pool.status == "queued"
    pool.canaries("w2")
    assert pool.status == "rejected"
    view = pool.world.view(pool.submission_id)
    rejection = view["verdict"]["rejection"]
    assert rejection["code"] == "harmed_worker"
    assert rejection["evidence"] == {"workers": "w1, w2", "attempts": "1, 2"}


def test_a_canary_that_comes_before_the_end_is_noticed_does_as_well(pool):
    pool.run("w1")
    pool.canaries("w1")
    job = pool.world.take()
    pool.world.record(Worker(pool.world.clock, "w2").started(job))
    pool.world.later(30)
    pool.canaries("w2")
    assert pool.status == "benchmarking"
    pool._lose(job)
    assert pool.status == "rejected"


def test_the_third_attempt_waits_for_the_canaries(pool):
    pool.run("w1")
    assert pool.waits() <= timedelta(0)
    pool.run("w2")
    assert pool.waits() == harm.HOLD - timedelta(seconds=10)


def test_a_worker_that_was_hurt_for_good_clears_the_submission(pool):
    pool.run("w1")
    pool.run("w2")
    pool.canaries("w1")
    pool.world.record(
        canary_completed("w2", Canary.SMUGGLER, "forbidden_import"),
        canary_completed("w2", Canary.FORGETFUL, "output_mismatch"),
        canary_completed("w2", Canary.HONEST, "no_verdict"),
    )
    assert pool.status == "queued"
    assert pool.waits() <= timedelta(0)
    pool.canaries("w2")
    assert pool.status == "queued"


@pytest.mark.parametrize("ending", ["harmed", "lost"])
def test_one_worker_that_breaks_twice_proves_nothing(pool, ending):
    for _ in range(2):
        pool.run("w1", ending)
        pool.canaries("w1")
    assert pool.status == "queued"
    assert pool.waits() < harm.HOLD


def test_runs_that_failed_without_harm_prove_nothing(pool):
    for name in ("w1", "w2"):
        pool.run(name, "failed")
        pool.canaries(name)
    assert pool.status == "queued"


def test_a_worker_of_which_nothing_was_known_proves_nothing(sqlite_world):
    pool = Pool(sqlite_world, healthy=("w1",))
    for name in ("w1", "w2"):
        pool.run(name)
        pool.canaries(name)
    assert pool.status == "queued"


def test_nobody_waits_for_canaries_that_are_never_judged(sqlite_world):
    pool = Pool(sqlite_world, healthy=())
    for name in ("w1", "w2"):
        pool.run(name)
    assert pool.waits() <= timedelta(0)
