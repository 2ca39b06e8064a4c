"""`python -m deploy.reference` writes what is generated."""

from deploy.reference import __main__ as program


def test_every_file_is_written(tmp_path, monkeypatch):
    path = tmp_path / "page.md"
    monkeypatch.setattr(program, "FILES", {path: lambda: "text\n"})
    program.main()
    assert path.read_text() == "text\n"
