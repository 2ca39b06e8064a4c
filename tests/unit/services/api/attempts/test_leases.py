import pytest
from quasar_core.telemetry.metrics import LEASE_EXPIRIES, VERDICTS

from services.api.attempts.repository import Job
from services.api.scheduler import Scheduler
from tests.support.counters import shown
from tests.support.judged import Worker


@pytest.fixture
def leases(sqlite_world):
    return sqlite_world.scheduler._leases


@pytest.fixture
def job(sqlite_world):
    sqlite_world.register("a")
    sqlite_world.accepted("a")
    return sqlite_world.take()


def test_what_wakes_somebody_is_shown_before_the_first_loss(sqlite_world):
    LEASE_EXPIRIES.clear()
    VERDICTS.clear()
    Scheduler(sqlite_world.scheduler._doors)
    assert shown(LEASE_EXPIRIES) == {(job.value,): 0 for job in Job}
    assert shown(VERDICTS) == {("failed_run",): 0}


def test_a_lease_ends_only_after_its_time(sqlite_world, leases, job):
    world = sqlite_world
    world.record(Worker(world.clock).started(job))
    world.later(45)
    assert leases.check(world.clock()) == 0
    world.later(0.1)
    assert leases.check(world.clock()) == 1
    assert leases.check(world.clock()) == 0


def test_nothing_is_asked_of_the_broker_while_all_is_well(
    sqlite_world, leases, job
):
    sqlite_world.bus.away = True
    assert leases.check(sqlite_world.clock()) == 0
    sqlite_world.bus.away = False
    assert leases._silence_since is None


def test_a_queue_that_cannot_be_asked_loses_nothing(
    sqlite_world, leases, job, monkeypatch
):
    from quasar_core.messaging.bus import BusUnavailable

    world = sqlite_world

    def depth(queue):
        if queue != "recording":
            raise BusUnavailable("away")
        return 0

    world.later(31)
    monkeypatch.setattr(world.bus, "depth", depth)
    assert leases.check(world.clock()) == 0
    monkeypatch.undo()
    assert leases.check(world.clock()) == 1


def test_what_was_renewed_meanwhile_is_left_alone(sqlite_world, leases, job):
    from uuid import uuid4

    world = sqlite_world
    world.record(Worker(world.clock).started(job))
    assert not leases._expire(job.attempt_id, world.clock())
    assert not leases._expire(uuid4(), world.clock())
    assert not leases._undelivered(job.attempt_id, world.clock())
