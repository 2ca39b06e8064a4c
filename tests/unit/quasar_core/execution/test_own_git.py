import subprocess

import pytest
from quasar_core.execution.git import (
    RepositoryError,
    create_repository,
    head,
)
from quasar_core.execution.own_git import (
    commit_changes,
    has_remote,
    private_folder,
    push,
)


@pytest.fixture
def fork(tmp_path, monkeypatch):
    """A repository of somebody whose git knows no name."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    path = tmp_path / "fork"
    create_repository(path, {"ops/a.py": b"x = 1\n", "notes": b"-\n"})
    return path


def git(path, *arguments):
    return subprocess.run(
        ["git", "-C", str(path), *arguments],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


def test_only_what_changed_in_the_folder_is_committed(fork):
    first = head(fork)
    assert not commit_changes(fork, "ops", "nothing")
    (fork / "ops/a.py").write_text("x = 2\n")
    (fork / "ops/b.py").write_text("y = 1\n")
    (fork / "notes").write_text("private\n")
    git(fork, "add", "notes")
    assert commit_changes(fork, "ops", "Go faster")
    shown = git(fork, "show", "--name-only", "--format=%s|%an", "HEAD")
    assert shown.split() == ["Go", "faster|quasar", "ops/a.py", "ops/b.py"]
    assert git(fork, "rev-parse", "HEAD~1") == first
    assert not commit_changes(fork, "ops", "nothing")


def test_a_commit_bears_the_name_that_its_author_has_set(fork):
    git(fork, "config", "user.name", "Ada")
    git(fork, "config", "user.email", "ada@example.org")
    (fork / "ops/a.py").write_text("x = 2\n")
    assert commit_changes(fork, "ops", "Go faster")
    assert git(fork, "show", "-s", "--format=%an") == "Ada"


def test_one_commit_is_pushed_as_a_branch_and_again_changes_nothing(
    fork, tmp_path
):
    remote = tmp_path / "remote.git"
    git(tmp_path, "init", "--quiet", "--bare", str(remote))
    assert not has_remote(fork, "origin")
    git(fork, "remote", "add", "origin", str(remote))
    assert has_remote(fork, "origin")
    sealed = head(fork)
    (fork / "ops/a.py").write_text("x = 2\n")
    commit_changes(fork, "ops", "Later")
    for _ in range(2):
        push(fork, "origin", sealed, "sealed")
    assert git(remote, "rev-parse", "sealed") == sealed
    assert git(remote, "branch").split() == ["sealed"]


def test_what_git_says_of_a_failure_is_told(fork):
    with pytest.raises(RepositoryError, match=r"git push failed: .*nowhere"):
        push(fork, "nowhere", head(fork), "sealed")


def test_a_folder_of_its_own_is_in_no_commit(fork):
    folder = private_folder(fork, "quasar-sealed")
    assert folder == (fork / ".git" / "quasar-sealed").resolve()
    folder.mkdir()
    (folder / "salt").write_text("ab")
    assert git(fork, "status", "--porcelain") == ""
