"""Streams: each move once and in order, whatever the line does."""

from __future__ import annotations

from uuid import UUID

import pytest
from fastapi.responses import PlainTextResponse
from quasar_core.client.api import (
    ApiUnavailable,
    ProblemAnswer,
    QuasarClient,
    UnreadableAnswer,
)
from quasar_core.errors import ProblemCode

from tests.support.api_server import (
    FakeApi,
    moved,
    problem,
    serving,
    submission_view,
)

KNOWN = UUID(int=7)
MOVES = [
    moved(1, None, "queued"),
    moved(2, "queued", "benchmarking"),
    moved(3, "benchmarking", "verifying"),
    moved(5, "verifying", "scored"),
]


@pytest.fixture(scope="module")
def server():
    with serving() as api:
        yield api


@pytest.fixture
def api(server) -> FakeApi:
    server.__dict__.update(FakeApi(url=server.url).__dict__)
    server.views[KNOWN] = [submission_view(KNOWN)]
    server.moves = list(MOVES)
    return server


@pytest.fixture
def client(api):
    with QuasarClient(api.url, pause=lambda _: None) as client:
        yield client


def test_a_broken_line_is_resumed_where_it_broke(client, api):
    api.break_stream_after = 2

    assert list(client.events(KNOWN)) == MOVES
    assert api.last_event_ids == [None, "2"]


def test_a_stream_that_tells_its_end_ends(client, api):
    api.at_rest = True

    assert list(client.events(KNOWN)) == MOVES
    assert list(client.events(KNOWN, after=3)) == MOVES[3:]
    assert list(client.events(KNOWN, after=5)) == []


def test_a_line_that_breaks_again_and_again_is_given_up(client, api):
    api.fail_with = [PlainTextResponse("no stream") for _ in range(4)]

    with pytest.raises(ApiUnavailable, match="4 times in a row"):
        list(client.events(KNOWN))


def test_a_server_that_tells_a_move_twice_is_heard_once(client, api):
    api.moves = [MOVES[0], MOVES[0], MOVES[1], MOVES[0]]

    assert list(client.events(KNOWN)) == MOVES[:2]


def test_too_many_streams_is_a_refusal(client, api):
    api.fail_with = [problem(429, ProblemCode.RATE_LIMITED, "100 streams")]

    with pytest.raises(ProblemAnswer, match="100 streams"):
        list(client.events(KNOWN))


def test_what_is_no_move_is_unreadable(client, api):
    class Nonsense:
        sequence = 1
        kind = "moved"

        def model_dump_json(self) -> str:
            return '{"sequence": "first"}'

    api.moves = [Nonsense()]  # pyright: ignore[reportAttributeAccessIssue]

    with pytest.raises(UnreadableAnswer, match="no move"):
        list(client.events(KNOWN))
