import pytest
from quasar_core.contracts.http import Leaderboard
from quasar_core.errors import Problem

from services.api.leaderboard.routes import page, round_or_current
from tests.support.played import leaderboard_row
from tests.support.wallets import spelled


def test_a_round_is_asked_for_by_number_or_is_the_open_one(sqlite_world):
    with sqlite_world.database.write() as session:
        current = round_or_current(session, None)
        assert round_or_current(session, 1) is current
        with pytest.raises(Problem) as refused:
            round_or_current(session, 2)
        assert refused.value.status == 404
        current.status = "evaluating"
        session.flush()
        with pytest.raises(Problem) as refused:
            round_or_current(session, None)
        assert refused.value.status == 503


def test_a_miner_is_explained_in_any_spelling_of_his_hotkey(sqlite_world):
    world = sqlite_world
    hotkey = world.register("a")
    world.accepted("a")
    for asked in (hotkey, spelled("a").ss58_address):
        answer = world.client.get(f"/rounds/1/explain/{asked}")
        assert (answer.status_code, answer.json()["hotkey"]) == (200, hotkey)
    nobody = hotkey[:-1] + ("1" if hotkey[-1] != "1" else "2")
    answer = world.client.get(f"/rounds/1/explain/{nobody}")
    assert answer.status_code == 422


def test_a_board_comes_in_pages_by_place():
    rows = tuple(leaderboard_row(place, 1) for place in range(1, 6))
    whole = Leaderboard(
        round_number=1,
        round_status="open",
        pool="cpu",
        league_unit=100,
        league=None,
        rows=rows,
    )
    seen, cursor = [], 0
    while True:
        part = page(whole, cursor, 2)
        seen.append([row.place for row in part.rows])
        if part.next_cursor is None:
            break
        cursor = int(part.next_cursor)
    assert seen == [[1, 2], [3, 4], [5]]
    assert page(whole, 9, 2).rows == ()
