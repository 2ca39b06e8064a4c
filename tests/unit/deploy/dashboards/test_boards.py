import pytest

from deploy.dashboards.boards import BOARDS
from tests.support.series import asks, unknown


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_every_query_asks_for_series_that_there_are(board):
    assert any(asks(query) for query in board.expressions)
    for query in board.expressions:
        assert unknown(query) == []


def test_no_two_boards_share_a_name():
    assert len({board.uid for board in BOARDS}) == len(BOARDS)
