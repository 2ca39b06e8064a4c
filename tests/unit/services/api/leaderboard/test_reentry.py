from services.api.leaderboard import service
from services.api.leaderboard.reentry import reenter
from services.api.rounds import repository as rounds
from services.api.submissions import repository
from tests.support.judged import play


def reentered(world, league_unit=500):
    with world.database.write() as session:
        row = rounds.open_round(session)
        assert row is not None
        ranking = service.ranking_of(session, row)
        row.status = "evaluating"
        session.flush()
        settings = world.doors.settings.model_copy(
            update={"league_unit": league_unit}
        )
        from services.api.rounds.service import open_next

        current = open_next(session, settings, 100, world.clock())
        reenter(session, ranking, current, world.clock())
        reenter(session, ranking, current, world.clock())
        return repository.listed(session, round_number=current.number)


def test_a_paid_place_is_entered_again_once(sqlite_world):
    world = sqlite_world
    world.register("a")
    world.blocks(4)
    first = world.view(play(world, "a"))
    (again,) = reentered(world)
    assert str(again.id) != first["submission_id"]
    assert (again.is_rerun, again.commit_block) == (True, 4)
    assert again.tree_hash == first["tree_hash"]
    assert (again.status, again.tokens_per_sec) == ("queued", None)


def test_what_no_league_takes_any_more_stays_behind(sqlite_world):
    world = sqlite_world
    world.register("a")
    play(world, "a")
    assert list(reentered(world, league_unit=2_000)) == []
