"""Rounds under kill -9, with real processes, on both engines."""

# pylint: disable=redefined-outer-name

import pytest
from sqlalchemy import select

from services.api.db import models
from services.api.db.records import LogRow
from tests.support.api import make_world
from tests.support.crashing import LAST, kill_at
from tests.support.judged import Worker, play

ROUND = {
    "round_blocks": 100,
    "evaluating_blocks": 50,
    "challenges_per_round": 16,
    "min_improvement": 0.1,
}
TABLES = (
    models.Round,
    models.Submission,
    models.Standing,
    models.Challenge,
    LogRow,
)


@pytest.fixture
def world(database_url, tmp_path):
    for made in make_world(database_url, tmp_path, **ROUND):
        made.open_round()
        yield made


def everything(world):
    """Every row that turning a round may write, as values."""
    with world.database.read() as session:
        return {
            table.__tablename__: [
                {c.key: getattr(row, c.key) for c in table.__table__.columns}
                for row in session.scalars(
                    select(table).order_by(*table.__table__.primary_key)
                )
            ]
            for table in TABLES
        }


def killed_everywhere(world):
    """Let a scheduler be killed after each write, and before the commit."""
    before = everything(world)

    def killed(point):
        height = world.chain.block()
        writes = kill_at(world.doors.settings, height, point)
        assert everything(world) == before, f"write {point} was left behind"
        return writes

    writes = killed(LAST)
    assert writes > 0
    assert [killed(n) for n in range(1, writes + 1)] == [*range(1, writes + 1)]


def statuses(world):
    rounds = world.client.get("/rounds").json()
    return [row["status"] for row in reversed(rounds)]


def test_a_scheduler_that_is_killed_at_any_point_leaves_nothing_half_done(
    world,
):
    for name, seconds in (("slow", 1.0), ("fast", 0.5)):
        world.register(name)
        play(world, name, seconds)
        world.blocks(1)
    world.register("late")
    late = world.accepted("late")
    world.blocks(100)
    killed_everywhere(world)
    world.turn()
    assert statuses(world) == ["evaluating", "open"]
    world.blocks(50)
    killed_everywhere(world)
    world.turn()
    assert statuses(world) == ["evaluating", "open"]
    assert world.view(late)["round_number"] == 2
    world.record(Worker(world.clock).challenged(world.take()))
    killed_everywhere(world)
    world.turn()
    assert statuses(world) == ["finalised", "open"]
    found = everything(world)
    assert [row["paid_place"] for row in found["standings"]] == [1, 2]
    again = [row for row in found["submissions"] if row["is_rerun"]]
    assert len(again) == 2
    told = [
        (row["round_number"], row["to_status"])
        for row in found["event_log"]
        if row["kind"] == "round"
    ]
    assert sorted(told) == sorted(set(told)), "each step is told once"
