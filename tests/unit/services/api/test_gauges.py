from datetime import timedelta
from uuid import uuid4

from prometheus_client import REGISTRY
from quasar_core.contracts.events import WorkerSeen
from quasar_core.domain.rounds import RoundStatus
from quasar_core.domain.submissions import Status
from quasar_core.telemetry.metrics import (
    CLOCK_AHEAD_SECONDS,
    QUEUE_DEPTH,
    QUEUE_OLDEST_SECONDS,
)
from sqlalchemy import select

from services.api import gauges
from services.api.db.models import Round, Submission
from tests.support.events import (
    canary_completed,
    right_canaries,
    worker_seen,
)


def value(name, **labels):
    return REGISTRY.get_sample_value(name, labels)


def test_gauges_tell_what_the_database_holds(sqlite_world):
    world = sqlite_world
    world.register("a")
    world.accepted("a")
    world.record(
        WorkerSeen(
            event_id=uuid4(),
            occurred_at=world.clock(),
            worker="w",
            pool="cpu",
            role="benchmark",
            environment={},
        )
    )
    world.later(30)
    with world.database.read() as session:
        gauges.update(session, 400, world.clock())
        queue = {"queue": "benchmark", "pool": "cpu"}
        assert value("quasar_queue_depth", **queue) == 1
        assert value("quasar_queue_oldest_seconds", **queue) == 30
        assert value("quasar_round_blocks_left") == 14_000
        assert value("quasar_rounds", status="open") == 1
        assert value("quasar_submissions", status="queued") == 1
        assert value("quasar_outbox_waiting") == 0
        seen = {"role": "benchmark", "pool": "cpu"}
        assert value("quasar_workers_seen", **seen) == 1
        later = world.clock() + timedelta(seconds=60)
        gauges.update(session, None, later)
        assert value("quasar_workers_seen", **seen) is None
        assert value("quasar_round_blocks_left") == 14_000


def queues(world, metric):
    """What a gauge of queues shows now, by queue and pool."""
    with world.database.read() as session:
        gauges.update(session, 400, world.clock())
    (found,) = metric.collect()
    return {
        (sample.labels["queue"], sample.labels["pool"]): sample.value
        for sample in found.samples
    }


def test_what_waits_is_told_of_the_pool_whose_workers_judge_it(sqlite_world):
    world = sqlite_world
    for name in ("a", "b", "c"):
        world.register(name)
    stays, *_ = (world.accepted(name) for name in ("a", "b", "c"))
    world.later(30)
    with world.database.write() as session:
        first = session.get(Round, 1)
        first.status = RoundStatus.EVALUATING
        session.flush()
        session.add(
            Round(
                number=2,
                status=RoundStatus.OPEN,
                pool="h100",
                settings=first.settings,
                opened_at_block=first.closes_at_block,
                closes_at_block=2 * first.closes_at_block,
                opened_at=world.clock(),
            )
        )
        session.flush()
        for row in session.scalars(select(Submission)):
            if row.id != stays:
                row.round_number = 2
                row.updated_at = world.clock()
    world.later(10)
    assert queues(world, QUEUE_DEPTH) == {
        ("benchmark", "cpu"): 1,
        ("benchmark", "h100"): 2,
        ("verification", "h100"): 0,
    }
    assert queues(world, QUEUE_OLDEST_SECONDS) == {
        ("benchmark", "cpu"): 40,
        ("benchmark", "h100"): 10,
        ("verification", "h100"): 0,
    }
    with world.database.write() as session:
        session.get(Submission, stays).status = Status.VERIFYING
    assert queues(world, QUEUE_DEPTH) == {
        ("benchmark", "h100"): 2,
        ("verification", "cpu"): 1,
        ("verification", "h100"): 0,
    }
    with world.database.write() as session:
        session.get(Submission, stays).status = Status.SCORED
    assert set(queues(world, QUEUE_DEPTH)) == {
        ("benchmark", "h100"),
        ("verification", "h100"),
    }


def test_the_fastest_of_each_league_is_told(sqlite_world):
    world = sqlite_world
    world.register("a")
    row = world.accepted("a")
    with world.database.write() as session:
        submission = session.get(Submission, row)
        submission.status = Status.SCORED
        submission.tokens_per_sec = 123.5
        league = submission.league
    with world.database.read() as session:
        gauges.update(session, 400, world.clock())
    assert value("quasar_best_tokens_per_sec", league=league) == 123.5


def test_canaries_of_a_day_are_counted_and_late_ones_missed(sqlite_world):
    world = sqlite_world
    world.record(
        worker_seen(), *right_canaries(), canary_completed(got="no_verdict")
    )

    def told():
        with world.database.read() as session:
            gauges.update(session, None, world.clock(), 86_400.0)
        runs = "quasar_canary_runs"
        return (
            value(runs, canary="honest", outcome="right"),
            value(runs, canary="honest", outcome="wrong"),
            value("quasar_canaries_overdue", role="benchmark"),
            value("quasar_canaries_overdue", role="verifier"),
        )

    assert told() == (1, 1, 0, 0)
    world.later(2 * 86_400)
    assert told() == (0, 0, 0, 0)
    world.record(worker_seen())
    assert told() == (0, 0, 1, 0)


def test_with_sqlite_there_is_one_clock(sqlite_world):
    world = sqlite_world
    CLOCK_AHEAD_SECONDS.set(0)
    with world.database.read() as session:
        gauges.update(session, None, world.clock())
    assert value("quasar_clock_ahead_seconds") == 0
