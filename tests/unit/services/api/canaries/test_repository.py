from datetime import timedelta

from quasar_core.domain.canaries import Canary

from services.api.canaries import repository
from services.api.canaries.repository import Count
from tests.support.events import (
    canary_completed,
    right_canaries,
    worker_seen,
)


def test_runs_are_counted_by_worker_canary_and_outcome(sqlite_world):
    world = sqlite_world
    world.record(canary_completed(), canary_completed())
    world.later(60)
    world.record(canary_completed(), canary_completed(got="no_verdict"))
    since = world.clock() - timedelta(seconds=30)
    with world.database.read() as session:
        found = repository.counts(session, since)
    assert sorted(found, key=lambda one: one.right) == [
        Count("worker-1", "benchmark", Canary.HONEST, right=False, runs=1),
        Count("worker-1", "benchmark", Canary.HONEST, right=True, runs=1),
    ]


def test_the_last_run_of_each_canary_is_found(sqlite_world):
    world = sqlite_world
    world.record(
        worker_seen(), *right_canaries(), canary_completed(got="time_limit")
    )
    long_ago = world.clock() - timedelta(days=1)
    with world.database.read() as session:
        workers = repository.workers_since(session, long_ago, None, 5)
        last = repository.last_runs(session, workers)
    assert {run.canary: run.got for run in last} == {
        "smuggler": "forbidden_import",
        "forgetful": "output_mismatch",
        "honest": "time_limit",
    }


def test_a_worker_that_is_up_and_judged_none_of_late_is_overdue(
    sqlite_world,
):
    world = sqlite_world
    world.record(worker_seen("a"), worker_seen("b", "verifier"))
    world.record(*right_canaries("a"))

    def overdue():
        now = world.clock()
        with world.database.read() as session:
            return repository.overdue(
                session,
                now - timedelta(seconds=60),
                now - timedelta(seconds=100),
            )

    assert overdue() == {"verifier": 1}
    world.later(120)
    assert overdue() == {}
    world.record(worker_seen("a"))
    assert overdue() == {"benchmark": 1}


def test_runs_are_kept_as_long_as_anybody_is_told_of_them(sqlite_world):
    world = sqlite_world
    world.record(canary_completed())
    world.later(60)
    world.record(canary_completed(got="no_verdict"))
    ever = world.clock() - timedelta(days=365)
    almost = world.clock() + timedelta(days=repository.MOST_DAYS, seconds=-30)
    world.scheduler.purge(almost)
    with world.database.read() as session:
        (left,) = repository.counts(session, ever)
    assert (left.right, left.runs) == (False, 1)
    world.scheduler.purge(almost + timedelta(seconds=60))
    with world.database.read() as session:
        assert repository.counts(session, ever) == []
