import pytest
from quasar_core.domain.rounds import RoundSettings
from sqlalchemy.exc import IntegrityError

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
        "cosine_sim_threshold": 0.5,
        "max_diff_threshold": 0.25,
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
