import pytest
from sqlalchemy.exc import IntegrityError

from services.api.leaderboard import repository, service
from services.api.rounds import repository as rounds
from tests.support.judged import play


def test_standings_are_frozen_once(sqlite_world):
    world = sqlite_world
    world.register("a")
    submission_id = play(world, "a")
    with world.database.write() as session:
        row = rounds.open_round(session)
        assert row is not None
        ranking = service.ranking_of(session, row)
        repository.freeze(session, 1, ranking)
    with world.database.read() as session:
        (standing,) = repository.frozen(session, 1)
        assert standing.submission_id == submission_id
        assert (standing.place, standing.paid_place) == (1, 1)
        assert standing.share == 1.0
    with pytest.raises(IntegrityError), world.database.write() as session:
        repository.freeze(session, 1, ranking)
