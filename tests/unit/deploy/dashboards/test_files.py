import pytest

from deploy.dashboards.boards import BOARDS
from deploy.dashboards.files import FOLDER, encoded


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_what_grafana_loads_is_what_the_code_says(board):
    """`make dashboards` writes them."""
    path = FOLDER / f"{board.uid}.json"
    assert path.read_text(encoding="utf-8") == encoded(board)


def test_grafana_loads_nothing_else():
    assert {path.stem for path in FOLDER.glob("*.json")} == {
        board.uid for board in BOARDS
    }
