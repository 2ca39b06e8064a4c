from services.api.rebuild.service import rebuild, write


def test_an_empty_competition_is_rebuilt_and_written(sqlite_world, tmp_path):
    rebuilt = rebuild(sqlite_world.database, check=True)
    assert rebuilt.findings == ()
    assert (rebuilt.rows, rebuilt.unsealed) == (0, 1)
    write(rebuilt.pages, tmp_path)
    written = (tmp_path / "round-1" / "standings.json").read_bytes()
    assert written == rebuilt.pages["round-1/standings.json"]
