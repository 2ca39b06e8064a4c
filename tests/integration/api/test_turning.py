"""Rounds under kill -9, with real processes, on both engines."""

# pylint: disable=redefined-outer-name

import json
import signal

import pytest
from sqlalchemy import select

from services.api.db import models
from services.api.db.records import LogRow
from tests.support.api import make_world
from tests.support.judged import Worker, play
from tests.support.processes import Program

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
TURNING = "services.api.leaderboard.turning"
CLOSING = [(TURNING, "open_next")]
CHALLENGING = [(TURNING, "carry_over"), ("services.api.db.eventlog", "append")]
FREEZING = [
    ("services.api.leaderboard.repository", "freeze"),
    (TURNING, "reenter"),
]


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


def killed_at(world, points):
    """Let a scheduler be killed at each of these points, one by one."""
    before = everything(world)
    for module, name in points:
        with Program(
            "tests.support.crashing",
            module,
            name,
            world.doors.settings.database_url,
            str(world.chain.block()),
            json.dumps(ROUND),
        ) as program:
            assert program.wait() == -signal.SIGKILL, program.text
        assert everything(world) == before, f"{name} left something behind"


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
    killed_at(world, CLOSING)
    world.turn()
    assert statuses(world) == ["evaluating", "open"]
    world.blocks(50)
    killed_at(world, CHALLENGING)
    world.turn()
    assert statuses(world) == ["evaluating", "open"]
    assert world.view(late)["round_number"] == 2
    world.record(Worker(world.clock).challenged(world.take()))
    killed_at(world, FREEZING)
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
