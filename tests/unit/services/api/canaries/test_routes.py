import pytest

from tests.support.events import right_canaries, worker_seen


def test_the_board_is_public_and_known_by_its_tag(sqlite_world):
    world = sqlite_world
    world.record(worker_seen(), *right_canaries())
    answer = world.client.get("/canaries")
    assert answer.status_code == 200
    assert answer.json()["cheats_caught"] == {"right": 2, "runs": 2}
    tag = {"If-None-Match": answer.headers["ETag"]}
    assert world.client.get("/canaries", headers=tag).status_code == 304
    world.record(*right_canaries())
    assert world.client.get("/canaries", headers=tag).status_code == 200


@pytest.mark.parametrize(
    "query", ["days=0", "days=91", "limit=201", "cursor=%27", "cursor=a"]
)
def test_what_is_asked_is_bounded(sqlite_world, query):
    answer = sqlite_world.client.get(f"/canaries?{query}")
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid_request"


def test_a_cursor_goes_on_where_the_page_ended(sqlite_world):
    world = sqlite_world
    world.record(worker_seen("a"), worker_seen("b"))
    first = world.client.get("/canaries?limit=1").json()
    assert first["next_cursor"] == "a/benchmark"
    second = world.client.get("/canaries?limit=1&cursor=a/benchmark").json()
    assert [one["worker"] for one in second["workers"]] == ["b"]
