import threading
from dataclasses import replace

import pytest
from prometheus_client import REGISTRY
from quasar_core.telemetry.metrics import CRASHES
from structlog.testing import capture_logs

from services.api.db.session import DatabaseUnavailable
from services.api.miners.registry import Registry
from services.api.scheduler import Scheduler
from tests.support.chains import HangingChain
from tests.support.counters import shown


def duty(world, name):
    (found,) = [d for d in world.scheduler.duties if d.name == name]
    return found


def test_each_duty_is_done_when_it_is_due(sqlite_world):
    world = sqlite_world
    done = []
    for one in world.scheduler.duties:
        one.deed = lambda _now, name=one.name: done.append(name)
    world.scheduler.tick()
    assert set(done) == {
        "rounds",
        "commitments",
        "leases",
        "dispatch",
        "seal",
        "purge",
        "gauges",
    }
    done.clear()
    world.later(0.06)
    world.scheduler.tick()
    assert done == ["dispatch"]


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (DatabaseUnavailable("away"), "duty.put_off"),
        (RuntimeError("ours"), "duty.crashed"),
    ],
)
def test_a_duty_that_fails_keeps_none_waiting(sqlite_world, fault, told):
    world = sqlite_world

    def fail(_now):
        raise fault

    duty(world, "rounds").deed = fail
    world.register("a")
    submission_id = world.accepted("a")
    with capture_logs() as logs:
        world.scheduler.tick()
    assert told in [row["event"] for row in logs]
    assert world.bus.take("benchmark.cpu").submission_id == submission_id


def test_a_chain_that_hangs_keeps_no_duty_waiting(sqlite_world):
    world = sqlite_world
    world.register("a")
    submission_id = world.accepted("a")
    chain = HangingChain(world.chain)
    registry = Registry(lambda: chain, 60, 600, patience_seconds=0)
    doors = replace(world.doors, registry=registry)
    scheduler = Scheduler(doors, world.monotonic)
    with capture_logs() as logs:
        for _ in range(3):
            scheduler.tick()
            world.later(60)
    assert (chain.asked, chain.answered) == (["block"], [])
    assert "rounds.wait_for_chain" in [row["event"] for row in logs]
    assert world.bus.take("benchmark.cpu").submission_id == submission_id
    chain.gate.set()


def test_every_dutys_crashes_are_shown_before_the_first(sqlite_world):
    CRASHES.clear()
    scheduler = Scheduler(sqlite_world.scheduler._doors)
    duties = {(f"scheduler.{each.name}",) for each in scheduler.duties}
    assert shown(CRASHES) == dict.fromkeys(duties, 0)


def test_a_scheduler_says_since_when_its_gauges_stand_still(sqlite_world):
    world = sqlite_world
    start = world.clock().timestamp()

    def refreshed():
        return REGISTRY.get_sample_value(
            "quasar_gauges_refreshed_timestamp_seconds"
        )

    scheduler = Scheduler(world.scheduler._doors)
    assert refreshed() == start
    world.later(5)
    scheduler.tick()
    assert refreshed() == start + 5

    def fail(_now):
        raise DatabaseUnavailable("away")

    world.later(5)
    scheduler.duties[-1].deed = fail
    scheduler.duties[-1].due_at = 0
    scheduler.tick()
    assert refreshed() == start + 5


def test_it_stops_when_it_is_told(sqlite_world):
    stopping = threading.Event()
    ticks = []

    def tick():
        ticks.append(1)
        stopping.set()

    sqlite_world.scheduler.tick = tick
    sqlite_world.scheduler.run(stopping)
    assert ticks == [1]


def test_the_log_is_sealed_and_old_nonces_are_forgotten(sqlite_world):
    from sqlalchemy import select

    from services.api.db import eventlog
    from services.api.db.records import Nonce

    world = sqlite_world
    world.register("a")
    world.accepted("a")
    for _ in range(2):
        world.scheduler.seal(world.clock())
    world.later(60)
    world.scheduler.purge(world.clock())
    with world.database.read() as session:
        newest = eventlog.newest_block(session)
        assert newest is not None
        assert newest.number == 1
        assert session.scalars(select(Nonce)).all() == []
