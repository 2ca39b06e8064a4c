from services.api.challenges import repository
from services.api.leaderboard import challenging
from services.api.rounds import repository as rounds
from tests.support.judged import play


def contested(world):
    for name, seconds in (("slow", 1.0), ("fast", 0.5)):
        world.register(name)
        play(world, name, seconds)
        world.blocks(1)
    with world.database.write() as session:
        row = rounds.locked(session, 1)
        row.settings = {**row.settings, "challenges_per_round": 16}


def test_each_challenge_is_asked_for_once(sqlite_world):
    world = sqlite_world
    contested(world)
    with world.database.write() as session:
        row = rounds.locked(session, 1)
        assert challenging.issue(session, row, world.clock()) == 1
        assert challenging.issue(session, row, world.clock()) == 0


def test_what_is_closed_stays_closed(sqlite_world):
    world = sqlite_world
    contested(world)
    with world.database.write() as session:
        row = rounds.locked(session, 1)
        challenging.close(session, row, world.clock())
        first = repository.outcomes(session, 1)
        challenging.close(session, row, world.clock())
        assert repository.outcomes(session, 1) == first
        assert [outcome.value for outcome in first.values()] == ["undecided"]
