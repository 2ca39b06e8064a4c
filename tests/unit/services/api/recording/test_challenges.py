import pytest

from services.api.challenges import repository
from services.api.leaderboard import challenging
from services.api.rounds import repository as rounds
from tests.support.judged import Worker, play


@pytest.fixture
def job(sqlite_world):
    world = sqlite_world
    for name, seconds in (("slow", 1.0), ("fast", 0.5)):
        world.register(name)
        play(world, name, seconds)
        world.blocks(1)
    with world.database.write() as session:
        row = rounds.locked(session, 1)
        row.settings = {**row.settings, "challenges_per_round": 16}
        challenging.issue(session, row, world.clock())
    return world.take()


@pytest.mark.parametrize(
    ("ratio", "outcome"),
    [(1.1, "won"), (1.0076, "won"), (1.0074, "no_better"), (0.5, "no_better")],
)
def test_half_of_the_rounds_least_improvement_must_be_shown(
    sqlite_world, job, ratio, outcome
):
    sqlite_world.record(Worker(sqlite_world.clock).challenged(job, ratio))
    with sqlite_world.database.read() as session:
        (row,) = repository.of_round(session, 1)
    assert row.outcome == outcome
    assert row.ratio_low == pytest.approx(ratio)
