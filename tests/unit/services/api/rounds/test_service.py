from datetime import UTC, datetime

import pytest
from quasar_core.domain.rounds import RoundSettings
from quasar_core.errors import Problem
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from services.api.db.records import LogRow
from services.api.db.session import Database
from services.api.rounds import repository, service
from tests.support.api import settings_for


def test_every_rule_of_the_settings_is_frozen_into_the_round(sqlite_url):
    changed = {
        "league_unit": 600,
        "max_sequence_length": 9_000,
        "min_improvement": 0.5,
        "must_beat_baseline": True,
        "one_paid_per_coldkey": False,
        "records_only": True,
        "unfilled": "burn",
        "round_blocks": 7,
        "evaluating_blocks": 3,
        "accepts_unsealed": False,
        "blocks_until_reveal": 5,
        "reveal_window": 6,
        "cosine_sim_threshold": 0.5,
        "max_diff_threshold": 0.25,
        "reenter_paid_places": False,
        "base_commit": "a" * 40,
        "challenges_per_round": 9,
        "challenging_blocks": 8,
    }
    quotas = {
        "quota_waiting_per_league": 3,
        "quota_judged_per_round": 4,
        "quota_unrevealed": 5,
    }
    settings = settings_for(
        sqlite_url, **changed, **quotas, pool="h100", profile="gpu"
    )
    assert service.frozen(settings) == RoundSettings(
        **changed,
        pool="h100",
        profile="gpu",
        waiting_per_league=3,
        judged_per_round=4,
        unrevealed=5,
    )


def test_one_round_is_open_and_the_database_sees_to_it(sqlite_world):
    world = sqlite_world
    with pytest.raises(IntegrityError), world.database.write() as session:
        service.open_next(session, world.doors.settings, 5, world.clock())


def test_a_view_has_baselines_and_the_last_final_round(sqlite_world):
    world = sqlite_world
    database: Database = world.database
    with database.write() as session:
        row = repository.locked(session, 1)
        view = service.view(session, row, world.doors.settings, None)
    assert view.current_block is None
    assert view.closes_at_block == 14_400
    assert view.baselines == ()
    assert view.settings["league_unit"] == 500


def close(world, number=1, height=70):
    with world.database.write() as session:
        return service.close_early(
            session,
            number,
            reason="a broken judge",
            by="admin:alice",
            height=height,
            now=world.clock(),
        ).closes_at_block


def rounds(world):
    with world.database.read() as session:
        return [
            (row.number, row.status)
            for row in repository.page(session, None, 9)
        ]


def test_a_round_that_is_closed_early_closes_once_and_the_next_opens(
    sqlite_world,
):
    world = sqlite_world
    world.blocks(70)
    assert close(world) == 70
    assert close(world, height=90) == 70, "it is closing already"
    world.turn()
    assert rounds(world) == [(2, "open"), (1, "evaluating")]
    with world.database.read() as session:
        rows = session.scalars(select(LogRow).order_by(LogRow.sequence)).all()
        told = [(row.actor, row.evidence.get("reason")) for row in rows]
    assert told == [
        ("scheduler", None),
        ("admin:alice", "a broken judge"),
        ("admin:alice", "a broken judge"),
        ("scheduler", None),
        ("scheduler", None),
    ]


def test_only_a_round_that_is_open_can_be_closed_early(sqlite_world):
    world = sqlite_world
    with pytest.raises(Problem, match="no such round"):
        close(world, number=2)
    close(world, height=0)
    world.turn()
    with pytest.raises(Problem, match="round 1 is evaluating"):
        close(world)


def test_the_next_round_opens_early_by_the_open_ones_closing(sqlite_world):
    world = sqlite_world
    with world.database.write() as session:
        closing = service.open_early(
            session, reason="r", by="admin:a", height=0, now=world.clock()
        )
        assert closing.number == 1
    world.turn()
    assert rounds(world) == [(2, "open"), (1, "evaluating")]


def test_before_the_first_round_none_can_be_opened_early(sqlite_url):
    database = Database(sqlite_url)
    with (
        pytest.raises(Problem, match="by itself"),
        database.write() as session,
    ):
        service.open_early(
            session, reason="r", by="a", height=0, now=datetime.now(UTC)
        )
    database.close()
