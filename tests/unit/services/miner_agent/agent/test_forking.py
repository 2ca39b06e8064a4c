"""A fork to work in: from GitHub, from any remote, or made here."""

import pytest
from quasar_core.execution.git import create_repository, head
from quasar_core.execution.own_git import push

from services.miner_agent.agent.forking import (
    Origin,
    access,
    address_of,
    ensure_fork,
)
from tests.support.github_server import TOKEN, github_server


@pytest.fixture
def base(tmp_path):
    path = tmp_path / "base"
    create_repository(path, {"fla/ops/quasar/a.py": b"a = 1\n"})
    return path


def test_a_repository_is_forked_on_github_cloned_and_pushed_to(tmp_path, base):
    own = tmp_path / "own"
    with github_server(tmp_path / "hub") as hub:
        hub.add("quasar/base", base)
        origin = Origin(github="quasar/base", token=TOKEN, github_url=hub.url)
        hub.polls_until_ready = 0

        told = ensure_fork(own, origin)

        assert told == f"forked quasar/base to me/base, cloned to {own}"
        assert head(own) == head(base)
        url = f"{hub.url}/me/base.git"
        push(own, "origin", head(own), "quasar-1", access(url, TOKEN))
        assert ensure_fork(own, origin) == f"working in {own}"
    branches = hub.root / "me/base.git/refs/heads/quasar-1"
    assert branches.read_text().strip() == head(base)


def test_any_remote_will_do_and_none_too(tmp_path, base):
    told = ensure_fork(tmp_path / "a", Origin(base=f"file://{base}"))
    made = ensure_fork(tmp_path / "b", Origin())

    assert told == f"cloned file://{base} to {tmp_path / 'a'}"
    assert made == f"made the base repository in {tmp_path / 'b'}"
    assert (tmp_path / "b/fla/ops/quasar/__init__.py").exists()


@pytest.mark.parametrize(
    ("url", "token"),
    [
        ("https://github.com/a/b", None),
        ("file:///a/b", TOKEN),
        ("git@github.com:a/b", TOKEN),
        ("http://example.org/a", TOKEN),
    ],
)
def test_a_token_goes_only_where_it_is_safe(url, token):
    assert access(url, token) == {}


def test_the_public_address_is_the_https_remotes(tmp_path, base):
    create_repository(tmp_path / "own", {"a": b"1"})

    def named(url):
        config = tmp_path / "own/.git/config"
        config.write_text(f'[remote "origin"]\n\turl = {url}\n')
        return address_of(tmp_path / "own", "origin")

    assert named("https://github.com/me/fork.git") == (
        "https://github.com/me/fork"
    )
    assert named("git@github.com:me/fork.git") is None
    assert address_of(tmp_path / "own", "upstream") is None
