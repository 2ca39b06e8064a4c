"""A fork by GitHub's API, from a server that answers as it does."""

import pytest
from quasar_core.client.answers import ApiUnavailable
from quasar_core.client.github import GitHub, GitHubRefused, RemoteFork
from quasar_core.execution.git import create_repository

from tests.support.github_server import TOKEN, github_server


@pytest.fixture
def server(tmp_path):
    create_repository(tmp_path / "source", {"a.py": b"a = 1\n"})
    with github_server(tmp_path / "hub") as running:
        running.add("quasar/base", tmp_path / "source")
        yield running


def forked(server, repository="quasar/base", token=TOKEN, patience=60.0):
    pauses = []
    with GitHub(
        token, server.url, patience_seconds=patience, pause=pauses.append
    ) as api:
        return api.fork(repository), pauses


def test_a_fork_is_made_and_waited_for(server):
    fork, pauses = forked(server)
    assert fork == RemoteFork("me/base", f"{server.url}/me/base.git")
    assert server.asked == [
        "/repos/quasar/base/forks",
        *["/repos/me/base/commits?per_page=1"] * 3,
    ]
    assert pauses == [3.0, 3.0]
    assert forked(server)[0] == fork


def test_a_busy_github_is_asked_again_when_it_says(server):
    server.faults = [(429, {"Retry-After": "7"}), (502, {}), (429, {})]
    _, pauses = forked(server)
    assert pauses[:3] == [7.0, 3.0, 3.0]


@pytest.mark.parametrize(
    ("repository", "token", "why"),
    [
        ("quasar/base", "wrong", "token is not valid"),
        ("quasar/missing", TOKEN, "no such repository"),
        ("../etc/passwd", TOKEN, "no owner/name"),
        ("a/b/c", TOKEN, "no owner/name"),
        ("nobody", TOKEN, "no owner/name"),
    ],
)
def test_what_github_refuses_is_told_without_the_token(
    server, repository, token, why
):
    with pytest.raises(GitHubRefused, match=why) as caught:
        forked(server, repository, token)
    assert token not in str(caught.value)


@pytest.mark.parametrize(("status", "why"), [(403, "may not"), (422, "see")])
def test_other_refusals_name_their_status(server, status, why):
    server.faults = [(status, {})]
    with pytest.raises(GitHubRefused, match=f"status {status}.*{why}"):
        forked(server)


def test_a_fork_that_never_comes_is_given_up(server):
    server.polls_until_ready = 10_000
    with pytest.raises(ApiUnavailable, match="status 409"):
        forked(server, patience=0.0)


def test_a_github_that_is_away_is_given_up(server):
    server.url = "http://127.0.0.1:9"
    with pytest.raises(ApiUnavailable, match="ConnectError"):
        forked(server, patience=0.0)


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"full_name": "../../x", "clone_url": "https://github.com/a/b.git"},
        {"full_name": "me/base", "clone_url": "ext::sh -c evil"},
    ],
)
def test_what_is_no_fork_is_not_cloned(server, monkeypatch, value):
    monkeypatch.setattr(
        server,
        "_api",
        lambda handler, path: server._say(handler, 202, value),
    )
    with pytest.raises(ApiUnavailable):
        forked(server)
