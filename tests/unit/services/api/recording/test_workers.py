from uuid import uuid4

import pytest
from quasar_core.contracts.events import BaselineMeasured
from quasar_core.domain.canaries import Canary
from sqlalchemy import select
from structlog.testing import capture_logs

from services.api.db.records import CanaryRun, LogRow
from tests.support.events import canary_completed


def baseline(world, round_number):
    return BaselineMeasured(
        event_id=uuid4(),
        occurred_at=world.clock(),
        worker="worker-1",
        pool="cpu",
        round_number=round_number,
        sequence_length=512,
        samples=(0.5, 0.25, 1.0),
        environment={"torch": "2"},
    )


def test_a_baseline_is_shown_with_its_round(sqlite_world):
    world = sqlite_world
    world.record(baseline(world, 1), baseline(world, 7))
    (shown,) = world.client.get("/rounds/current").json()["baselines"]
    assert (shown["worker"], shown["tokens_per_sec"]) == ("worker-1", 1_024)


@pytest.mark.parametrize(
    ("got", "level"), [("passed", "info"), ("output_mismatch", "error")]
)
def test_a_missed_canary_is_loud(sqlite_world, got, level):
    with capture_logs() as logs:
        sqlite_world.record(canary_completed(got=got))
    assert [(row["event"], row["log_level"]) for row in logs] == [
        ("canary.completed", level)
    ]


def test_a_canary_is_noted_once_and_stands_in_the_log(sqlite_world):
    world = sqlite_world
    event = canary_completed(canary=Canary.FORGETFUL, got="passed")
    world.record(event, event)
    with world.database.read() as session:
        (run,) = session.scalars(select(CanaryRun)).all()
        assert (run.worker, run.canary, run.got) == (
            "worker-1",
            "forgetful",
            "passed",
        )
        assert run.is_right is False
        (row,) = session.scalars(
            select(LogRow).where(LogRow.kind == "canary")
        ).all()
    assert row.actor == "worker:worker-1"
    assert row.evidence["expected"] == "output_mismatch"
    assert row.evidence["right"] is False
