from services.api.leaderboard.service import Kept
from tests.support.judged import play


def test_a_value_is_made_once_and_the_oldest_is_let_go():
    made = []

    def make(key):
        def value():
            made.append(key)
            return key

        return value

    kept = Kept(size=2)
    for key in ("a", "b", "a", "c", "a", "b"):
        assert kept.get(key, make(key)) == key
    assert made == ["a", "b", "c", "b"]


def test_boards_rank_and_standings_pay(sqlite_world):
    world = sqlite_world
    for name in ("slow", "fast"):
        world.register(name)
    slow = play(world, "slow", 2.0)
    fast = play(world, "fast", 1.0, target_sequence_length=500)
    board = world.client.get("/leaderboard").json()["rows"]
    assert [row["submission_id"] for row in board] == [
        str(slow),
        str(fast),
    ], "768 * 0.75 weighs more than 512 * 0.5"
    rows = world.client.get("/leaderboard?league=100k").json()["rows"]
    assert [row["submission_id"] for row in rows] == [str(fast)]
    standings = world.client.get("/rounds/1/standings").json()
    assert not standings["final"]
    assert standings["log_hash"] is None
    assert [row["place"] for row in standings["rows"]] == [1, 2]
    assert sum(row["share"] for row in standings["rows"]) == 1
