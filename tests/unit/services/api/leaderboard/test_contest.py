from services.api.leaderboard.contest import contest_of
from services.api.rounds import repository as rounds
from tests.support.judged import play


def test_a_contest_ranks_what_is_scored_and_nothing_else(sqlite_world):
    world = sqlite_world
    for name in ("a", "b"):
        world.register(name)
    scored = play(world, "a")
    world.accepted("b")
    with world.database.read() as session:
        row = rounds.open_round(session)
        assert row is not None
        contest = contest_of(session, row)
        (shown,) = contest.board(None, 9).rows
        (placing,) = contest.ranking().placings
        assert shown.submission_id == scored
        assert placing.entry.submission_id == str(scored)
        assert contest.board("1M", 9).rows == ()
