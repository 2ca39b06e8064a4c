import subprocess

import pytest
from quasar_core.client.github import push_header
from quasar_core.execution.git import (
    RepositoryError,
    create_repository,
    head,
)
from quasar_core.execution.own_git import (
    clone,
    commit_changes,
    credentials,
    has_remote,
    is_changed,
    private_folder,
    push,
    remote_url,
)

from tests.support.github_server import TOKEN, github_server


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


def a_commit(path):
    return create_repository(path, {"fla/a.py": b"a = 1\n"})


def test_a_remote_is_cloned_whole_or_not_at_all(tmp_path):
    commit_hash = a_commit(tmp_path / "base")
    half = tmp_path / ".mine.cloning"
    half.mkdir()
    (half / "left by a kill").touch()
    url = f"file://{tmp_path / 'base'}"

    clone(url, tmp_path / "mine")

    assert head(tmp_path / "mine") == commit_hash
    assert remote_url(tmp_path / "mine", "origin") == url
    assert not half.exists()
    with pytest.raises(RepositoryError, match="is there already"):
        clone(url, tmp_path / "mine")
    with pytest.raises(RepositoryError, match="git clone failed"):
        clone(f"file://{tmp_path / 'nowhere'}", tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_a_change_in_the_folder_is_noticed_and_none_beside_it(tmp_path):
    a_commit(tmp_path)
    (tmp_path / "beside").touch()
    assert not is_changed(tmp_path, "fla")
    (tmp_path / "fla" / "new.py").touch()
    assert is_changed(tmp_path, "fla")


def test_a_token_opens_its_own_address_and_stands_nowhere(tmp_path):
    commit_hash = a_commit(tmp_path / "source")
    with github_server(tmp_path / "hub") as hub:
        hub.add("me/fork", tmp_path / "source")
        url = f"{hub.url}/me/fork.git"
        own = tmp_path / "own"
        clone(url, own)
        with pytest.raises(RepositoryError, match="git push failed"):
            push(own, "origin", commit_hash, "one")
        let_in = credentials(url, push_header(TOKEN))
        push(own, "origin", commit_hash, "one", let_in)
        elsewhere = credentials("https://github.com/", push_header(TOKEN))
        with pytest.raises(RepositoryError) as caught:
            push(own, "origin", commit_hash, "two", elsewhere)
        assert None in hub.pushed_by
    assert TOKEN not in str(caught.value)
    for path in (own / ".git").rglob("*"):
        assert not path.is_file() or TOKEN.encode() not in path.read_bytes()
