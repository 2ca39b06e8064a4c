"""QuasarClient against a server of the contracts, over real HTTP."""

from __future__ import annotations

import socket
import threading
from functools import partial
from uuid import UUID, uuid4

import pytest
from fastapi.responses import JSONResponse, PlainTextResponse
from quasar_core.chain import signatures
from quasar_core.client.api import (
    ApiUnavailable,
    ProblemAnswer,
    QuasarClient,
    UnreadableAnswer,
    UnsignedClient,
)
from quasar_core.contracts.http import SubmissionRequest, WeightsReport
from quasar_core.errors import ProblemCode

from tests.support.api_server import (
    RECEIVER,
    FakeApi,
    problem,
    round_view,
    serving,
    standings,
    submission_view,
)
from tests.support.wallets import address, keypair

REQUEST = SubmissionRequest(
    fork_url="file:///forks/miner",
    commit_hash="c" * 40,
    target_sequence_length=512,
)
REPORT = WeightsReport(round_number=1, outcome="skipped", netuid=24)


def sign(method: str, path: str, body: bytes) -> dict[str, str]:
    return signatures.sign(keypair("miner"), method, path, body, RECEIVER)


@pytest.fixture(scope="module")
def server():
    with serving() as api:
        yield api


@pytest.fixture
def api(server) -> FakeApi:
    fresh = FakeApi(url=server.url)
    server.__dict__.update(fresh.__dict__)
    return server


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def client(api, pauses):
    with QuasarClient(api.url, sign, pause=pauses.append) as client:
        yield client


def test_rounds_and_standings_come_as_contracts(client):
    assert client.current_round() == round_view()
    assert client.standings(1) == standings()


def test_a_submission_is_sent_signed_and_answered(client, api):
    accepted = client.submit(REQUEST)

    assert accepted.position == 3
    assert api.callers == [address("miner")]
    assert api.submitted == [REQUEST.model_dump(exclude_none=True)]
    assert client.submission(accepted.submission_id) == submission_view(
        accepted.submission_id
    )


def test_a_report_is_sent_signed(client, api):
    assert client.report_weights(REPORT).accepted
    assert api.reports == [REPORT.model_dump()]


def test_without_a_key_nothing_is_written(api):
    with QuasarClient(api.url) as client, pytest.raises(UnsignedClient):
        client.submit(REQUEST)

    assert api.requests == []


def test_filters_that_are_not_given_are_not_sent(client, api):
    for ask in (
        partial(client.leaderboard, 3, "1M"),
        partial(client.leaderboard, None),
        partial(client.stats, 5),
        partial(client.submissions, status="queued", cursor=None),
        partial(client.round, 7),
        client.weights,
    ):
        with pytest.raises(ApiUnavailable):
            ask()

    assert api.requests == [
        "GET /leaderboard?round=3&league=1M",
        "GET /leaderboard",
        "GET /get_submission_stats?limit=5",
        "GET /submissions?status=queued",
        "GET /rounds/7",
        "GET /weights",
    ]


def test_a_refusal_is_told_and_not_tried_again(client, api):
    refusal = problem(422, ProblemCode.INVALID_COMMIT, "not 40 digits")
    api.fail_with = [refusal]

    with pytest.raises(ProblemAnswer, match="not 40 digits") as caught:
        client.submit(REQUEST)

    assert caught.value.code is ProblemCode.INVALID_COMMIT
    assert len(api.requests) == 1


def test_an_api_that_starts_again_is_asked_again(client, api, pauses):
    api.fail_with = [
        problem(503, ProblemCode.UNAVAILABLE, "starting"),
        PlainTextResponse("bad gateway", 502),
        JSONResponse({}, 504),
    ]

    assert client.current_round() == round_view()
    assert pauses == [0.25, 0.5, 1.0]


def test_each_attempt_is_signed_anew(client, api):
    api.fail_with = [problem(503, ProblemCode.UNAVAILABLE, "starting")]

    client.submit(REQUEST)

    assert len(api.requests) == 2
    assert len(api.nonces) == 1


def test_an_api_that_stays_away_is_given_up(client, api, pauses):
    api.fail_with = [
        problem(503, ProblemCode.METAGRAPH_UNAVAILABLE, "chain away")
        for _ in range(4)
    ]

    with pytest.raises(ProblemAnswer) as caught:
        client.submit(REQUEST)

    assert caught.value.code is ProblemCode.METAGRAPH_UNAVAILABLE
    assert len(pauses) == 3


def test_an_address_where_nobody_listens_is_said_so(pauses):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    client = QuasarClient(f"http://127.0.0.1:{port}", pause=pauses.append)

    with client, pytest.raises(ApiUnavailable, match="is it running"):
        client.current_round()

    assert len(pauses) == 3


def _broken_server(answers: int):
    """Takes connections and hangs up; how often is counted in the list."""
    hung_up: list[int] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for number in range(answers):
            connection, _ = listener.accept()
            connection.recv(65_536)
            connection.close()
            hung_up.append(number)

    return listener, serve, hung_up


@pytest.mark.parametrize(
    ("write", "sent"),
    [
        (lambda client: client.submit(REQUEST), 4),
        (lambda client: client.report_weights(REPORT), 1),
    ],
)
def test_only_what_may_be_sent_twice_is_sent_again(write, sent):
    listener, serve, hung_up = _broken_server(sent)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    thread = threading.Thread(target=serve)
    thread.start()
    with (
        QuasarClient(url, sign, pause=lambda _: None) as client,
        pytest.raises(ApiUnavailable),
    ):
        write(client)
    thread.join()
    listener.close()

    assert len(hung_up) == sent


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:8000",
        "ftp://api.example",
        "http://",
        "http://:80000/",
        "api",
    ],
)
def test_what_is_no_address_is_said_at_once(url):
    with pytest.raises(ApiUnavailable, match="is no"):
        QuasarClient(url)


def test_an_answer_of_another_version_is_unreadable(client, api):
    api.standings[1] = {"round_number": 1, "podium": []}

    with pytest.raises(UnreadableAnswer, match="same version"):
        client.standings(1)


def test_an_id_that_is_none_never_leaves(client, api):
    with pytest.raises(ValueError, match="badly formed"):
        client.submission("../weights")

    assert api.requests == []


def test_an_unknown_id_is_told(client):
    with pytest.raises(ProblemAnswer) as caught:
        client.submission(uuid4())

    assert caught.value.code is ProblemCode.NOT_FOUND


def test_moves_are_iterated_from_where_they_are_wanted(client, api):
    from tests.support.api_server import moved

    known = UUID(int=7)
    api.views[known] = [submission_view(known)]
    api.moves = [moved(4, None, "queued"), moved(9, "queued", "scored")]

    assert list(client.events(known)) == api.moves
    assert list(client.events(known, after=4)) == api.moves[1:]
    assert api.last_event_ids == [None, "4"]
