from uuid import uuid4

import pytest
from quasar_core.contracts.events import BaselineMeasured, CanaryCompleted
from structlog.testing import capture_logs


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
    ("passed", "level"), [(True, "info"), (False, "error")]
)
def test_a_missed_canary_is_loud(sqlite_world, passed, level):
    event = CanaryCompleted(
        event_id=uuid4(),
        occurred_at=sqlite_world.clock(),
        worker="worker-1",
        pool="cpu",
        canary="known_bad",
        passed=passed,
    )
    with capture_logs() as logs:
        sqlite_world.record(event)
    assert [(row["event"], row["log_level"]) for row in logs] == [
        ("canary.completed", level)
    ]
