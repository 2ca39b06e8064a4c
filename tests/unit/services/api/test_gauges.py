from datetime import timedelta
from uuid import uuid4

from prometheus_client import REGISTRY
from quasar_core.contracts.events import WorkerSeen
from quasar_core.domain.submissions import Status

from services.api import gauges
from services.api.db.models import Submission
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
