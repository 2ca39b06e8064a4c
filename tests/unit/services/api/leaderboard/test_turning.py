from services.api.leaderboard.turning import turn_rounds
from services.api.rounds import repository


def test_nothing_is_written_while_nothing_is_due(sqlite_world):
    world = sqlite_world
    settings = world.doors.settings
    assert not turn_rounds(world.database, settings, 0, world.clock())
    assert not turn_rounds(world.database, settings, 14_399, world.clock())
    assert turn_rounds(world.database, settings, 14_400, world.clock())
    with world.database.read() as session:
        current = repository.open_round(session)
        assert current is not None
        assert (current.number, current.closes_at_block) == (2, 28_800)


def test_a_chain_that_jumped_takes_one_step_at_a_time(sqlite_world):
    world = sqlite_world
    settings = world.doors.settings
    steps = 0
    while turn_rounds(world.database, settings, 50_000, world.clock()):
        steps += 1
    assert steps == 2
    with world.database.read() as session:
        rows = repository.page(session, None, 9)
        assert [row.status for row in rows] == ["open", "finalised"]
