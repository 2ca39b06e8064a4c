import pytest
from quasar_core.execution.git import (
    RepositoryError,
    commit_files,
    create_repository,
    head,
)

FILES = {"a.py": b"x = 1\n", "deep/b.py": b"y = 2\r\n"}


def test_the_same_files_give_the_same_commit_anywhere(tmp_path, monkeypatch):
    first = create_repository(tmp_path / "one", FILES)
    monkeypatch.setenv("GIT_AUTHOR_NAME", "somebody else")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    second = create_repository(tmp_path / "two", FILES)
    assert first == second == head(tmp_path / "two")
    assert first == "fc7b45c3e99e634efeae0e09c9e263ac0527a2b1"


def test_a_commit_adds_to_the_one_before(tmp_path):
    first = create_repository(tmp_path / "fork", FILES)
    second = commit_files(tmp_path / "fork", {"a.py": b"x = 2\n"}, "faster")
    assert second != first
    assert head(tmp_path / "fork") == second
    assert (tmp_path / "fork" / "deep" / "b.py").read_bytes() == b"y = 2\r\n"


def test_a_date_makes_another_commit(tmp_path):
    create_repository(tmp_path / "one", FILES)
    create_repository(tmp_path / "two", FILES)
    change = {"a.py": b"x = 2\n"}
    date = "2025-01-01T00:00:00+0000"
    assert commit_files(tmp_path / "one", change, "m") != commit_files(
        tmp_path / "two", change, "m", date=date
    )


def test_a_repository_is_not_made_twice(tmp_path):
    create_repository(tmp_path / "fork", FILES)
    with pytest.raises(RepositoryError, match="already"):
        create_repository(tmp_path / "fork", FILES)


def test_a_commit_of_nothing_is_told(tmp_path):
    create_repository(tmp_path / "fork", FILES)
    with pytest.raises(RepositoryError, match="nothing to commit"):
        commit_files(tmp_path / "fork", {}, "empty")


def test_a_folder_without_a_repository_has_no_head(tmp_path):
    with pytest.raises(RepositoryError):
        head(tmp_path)
