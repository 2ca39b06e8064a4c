from deploy.dashboards import __main__ as program
from deploy.dashboards.boards import BOARDS


def test_every_board_is_written_into_a_file_of_its_name(tmp_path, monkeypatch):
    monkeypatch.setattr(program, "FOLDER", tmp_path / "dashboards")
    program.main()
    assert {path.name for path in (tmp_path / "dashboards").iterdir()} == {
        f"{board.uid}.json" for board in BOARDS
    }
