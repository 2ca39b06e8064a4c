"""POST /submit_submission on both engines: who and what is let in."""

# pylint: disable=redefined-outer-name,protected-access

import json
import time
from uuid import UUID

import pytest
from quasar_core.chain.signatures import sign
from sqlalchemy import func, select

from services.api.db.models import Submission
from services.api.db.records import LogRow, Nonce, OutboxRow
from tests.support.api import RECEIVER, submission
from tests.support.wallets import address, keypair, spelled


def counts(world):
    with world.database.read() as session:
        return tuple(
            session.scalar(select(func.count()).select_from(table))
            for table in (Submission, LogRow, Nonce, OutboxRow)
        )


def refused(world, answer, status, code):
    """The answer is that problem, and nothing of it is stored."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["instance"].endswith(answer.headers["x-request-id"])
    return problem


def test_a_signed_submission_is_committed_with_its_log_and_nonce(world):
    hotkey = world.register("alice")
    before = counts(world)
    answer = world.submit("alice")
    assert answer.status_code == 202
    body = answer.json()
    assert {
        name: body[name] for name in ("status", "round_number", "league")
    } == {"status": "queued", "round_number": 1, "league": "200k"}
    assert body["position"] == 1
    assert body["quota"] == {
        "waiting_in_league": 1,
        "waiting_in_league_limit": 1,
        "judged_this_round": 1,
        "judged_this_round_limit": 12,
        "unrevealed": 0,
        "unrevealed_limit": 2,
    }
    assert counts(world) == (
        before[0] + 1,
        before[1] + 1,
        before[2] + 1,
        before[3],
    )
    with world.database.read() as session:
        row = session.get(Submission, UUID(body["submission_id"]))
        assert row is not None
        assert (row.hotkey, row.coldkey) == (hotkey, address("alice-cold"))
        assert row.claimed_tokens_per_sec == 123.5


def test_the_same_submission_again_is_the_one_that_is_there(world):
    world.register("alice")
    first = world.submit("alice")
    url = submission("alice")["fork_url"]
    again = world.submit("alice", fork_url=url.replace("github", "GitHub"))
    assert again.status_code == 200
    assert again.json()["submission_id"] == first.json()["submission_id"]


def test_another_length_is_another_submission(world):
    world.register("alice")
    first = world.accepted("alice")
    assert world.accepted("alice", target_sequence_length=1_500) != first


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"target_sequence_length": 499}, "below_smallest_league"),
        ({"target_sequence_length": 0}, "below_smallest_league"),
        ({"target_sequence_length": -1}, "below_smallest_league"),
        ({"target_sequence_length": 10_001}, "above_largest_length"),
        ({"target_sequence_length": 10**12}, "above_largest_length"),
        ({"target_sequence_length": 10**400}, "above_largest_length"),
        ({"target_sequence_length": 1e308}, "invalid_request"),
        ({"target_sequence_length": float("nan")}, "invalid_request"),
        ({"target_sequence_length": float("inf")}, "invalid_request"),
        ({"target_sequence_length": None}, "invalid_request"),
        ({"tokens_per_sec": float("nan")}, "invalid_request"),
        ({"tokens_per_sec": float("inf")}, "invalid_request"),
        ({"tokens_per_sec": -1.0}, "invalid_request"),
        ({"tokens_per_sec": 1e308}, "invalid_request"),
        ({"benchmarks": {"x": float("nan")}}, "invalid_request"),
        ({"commit_hash": "main"}, "invalid_commit"),
        ({"commit_hash": "A" * 40}, "invalid_commit"),
        ({"commit_hash": "a" * 39}, "invalid_commit"),
        ({"commit_hash": "--upload-pack=x"}, "invalid_commit"),
        ({"commit_hash": "a" * 39 + "\0"}, "invalid_commit"),
        ({"commit_hash": "a" * 200}, "invalid_request"),
        ({"fork_url": "ext::sh -c id"}, "invalid_url"),
        ({"fork_url": "file:///etc"}, "invalid_url"),
        ({"fork_url": "git@github.com:a/b"}, "invalid_url"),
        ({"fork_url": "http://github.com/a/b"}, "invalid_url"),
        ({"fork_url": "https://169.254.169.254/a/b"}, "invalid_url"),
        ({"fork_url": "https://github.com:22/a/b"}, "invalid_url"),
        ({"fork_url": "https://u:p@github.com/a/b"}, "invalid_url"),
        ({"fork_url": "https://github.com/a/.."}, "invalid_url"),
        ({"fork_url": "https://example.com/a/b"}, "invalid_url"),
        ({"fork_url": "https://github.com/a/b\n"}, "invalid_url"),
        ({"fork_url": "https://github.com/a/\0"}, "invalid_url"),
        ({"fork_url": "--upload-pack=touch /tmp/x"}, "invalid_url"),
        ({"fork_url": "\ud800"}, "invalid_request"),
        ({"unknown": 1}, "invalid_request"),
    ],
)
def test_what_no_rule_allows_is_refused_and_leaves_nothing(
    sqlite_world, changes, code
):
    world = sqlite_world
    world.register("alice")
    before = counts(world)
    refused(world, world.submit("alice", **changes), 422, code)
    assert counts(world) == before
    assert world.submit("alice").status_code == 202


def test_what_was_sent_is_not_repeated_in_the_refusal(sqlite_world):
    sqlite_world.register("alice")
    answer = sqlite_world.submit("alice", tokens_per_sec="<script>")
    problem = refused(sqlite_world, answer, 422, "invalid_request")
    assert "script" not in answer.text
    assert problem["errors"][0]["field"] == "body.tokens_per_sec"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[1]",
        b"null",
        b"\xff",
        b"[" * 60_000,
        b'{"a": ' + b"9" * 6_000,
    ],
)
def test_a_body_that_is_no_request_is_refused(sqlite_world, body):
    world = sqlite_world
    world.register("alice")
    headers = {
        "Content-Type": "application/json",
        **world.signed("alice", "POST", "/submit_submission", body),
    }
    answer = world.client.post(
        "/submit_submission", content=body, headers=headers
    )
    refused(world, answer, 422, "invalid_request")


# --- who -------------------------------------------------------------------


def send(world, headers, body=None, path="/submit_submission"):
    content = (
        json.dumps(submission("alice")).encode() if body is None else body
    )
    return world.client.post(
        path,
        content=content,
        headers={"Content-Type": "application/json", **headers},
    )


@pytest.fixture
def body():
    return json.dumps(submission("alice")).encode()


def test_an_unsigned_request_is_refused(sqlite_world):
    answer = send(sqlite_world, {})
    refused(sqlite_world, answer, 401, "signature_missing")
    assert RECEIVER in answer.headers["www-authenticate"]


def test_a_signature_of_another_body_is_refused(sqlite_world, body):
    headers = sqlite_world.signed("alice", "POST", "/submit_submission", body)
    refused(
        sqlite_world,
        send(sqlite_world, headers, body + b" "),
        401,
        "signature_bad",
    )


def test_a_signature_for_another_path_or_query_is_refused(sqlite_world, body):
    headers = sqlite_world.signed("alice", "POST", "/weights/reports", body)
    refused(sqlite_world, send(sqlite_world, headers), 401, "signature_bad")
    headers = sqlite_world.signed("alice", "POST", "/submit_submission", body)
    answer = send(sqlite_world, headers, path="/submit_submission?x=1")
    refused(sqlite_world, answer, 401, "signature_bad")


def test_a_signature_for_another_deployment_is_refused(sqlite_world, body):
    headers = sqlite_world.signed(
        "alice", "POST", "/submit_submission", body, receiver=address("other")
    )
    refused(sqlite_world, send(sqlite_world, headers), 401, "wrong_receiver")


def test_a_signature_that_cannot_be_read_is_refused(sqlite_world, body):
    headers = sqlite_world.signed("alice", "POST", "/submit_submission", body)
    headers["X-Bittensor-Signature"] = "0xzz"
    refused(
        sqlite_world, send(sqlite_world, headers), 401, "signature_malformed"
    )


def test_a_stale_request_is_told_the_servers_time(sqlite_world, body):
    from bittensor import http_auth

    headers = http_auth.sign(
        keypair("alice"),
        method="POST",
        path="/submit_submission",
        body=body,
        receiver_ss58=RECEIVER,
        nonce_ns=1,
    )
    problem = refused(
        sqlite_world, send(sqlite_world, headers), 401, "signature_stale"
    )
    assert "set this machine's clock" in problem["detail"]
    now = time.time_ns()
    assert 0 <= now - problem["server_time_ns"] < 60e9
    assert problem["difference_seconds"] == pytest.approx(now / 1e9, abs=60)


def test_a_replayed_request_is_refused(world, body):
    world.register("alice")
    headers = world.signed("alice", "POST", "/submit_submission", body)
    assert send(world, headers).status_code == 202
    before = counts(world)
    refused(world, send(world, headers), 409, "nonce_replayed")
    assert counts(world) == before


def test_a_refused_request_uses_no_nonce_up(world, body):
    headers = world.signed("alice", "POST", "/submit_submission", body)
    refused(world, send(world, headers), 403, "not_registered")
    world.register("alice")
    assert send(world, headers).status_code == 202


def test_a_body_that_names_somebody_else_is_refused(sqlite_world):
    world = sqlite_world
    world.register("alice")
    answer = world.submit("alice", miner_hotkey=address("bob"))
    refused(world, answer, 403, "hotkey_mismatch")
    answer = world.submit("alice", miner_hotkey="nobody")
    refused(world, answer, 403, "hotkey_mismatch")
    answer = world.submit("alice", miner_hotkey=address("alice"))
    assert answer.status_code == 202


def test_one_key_in_another_spelling_is_the_same_miner(sqlite_world, body):
    world = sqlite_world
    world.register("alice")
    first = world.accepted("alice")
    headers = sign(
        spelled("alice"), "POST", "/submit_submission", body, RECEIVER
    )
    answer = send(world, headers)
    assert answer.status_code == 200, answer.text
    assert UUID(answer.json()["submission_id"]) == first


# --- how much ----------------------------------------------------------------


def test_a_coldkey_waits_once_per_league_whatever_its_hotkeys(world):
    world.register("alice", "cold")
    world.register("bob", "cold")
    world.accepted("alice")
    refused(world, world.submit("bob"), 429, "quota_exceeded")
    assert world.submit("bob", target_sequence_length=500).status_code == 202


def test_a_body_too_large_is_refused_whoever_sends_it(sqlite_world):
    body = b'{"fork_url": "' + b"a" * 70_000
    refused(
        sqlite_world,
        send(sqlite_world, {}, body),
        413,
        "body_too_large",
    )


def test_a_body_that_grows_too_large_on_the_way_is_refused(sqlite_world):
    def chunks():
        for _ in range(70):
            yield b"a" * 1_000

    answer = sqlite_world.client.post("/submit_submission", content=chunks())
    refused(sqlite_world, answer, 413, "body_too_large")


# --- when the world is away ------------------------------------------------


def test_with_the_broker_away_submissions_are_taken_in(world):
    world.register("alice")
    world.bus.away = True
    submission_id = world.accepted("alice")
    world.dispatch()
    assert world.status(submission_id) == "queued"
    world.bus.away = False
    world.later(10)
    assert world.take().submission_id == submission_id


def test_without_a_metagraph_it_is_said_and_nothing_stored(
    sqlite_world, monkeypatch
):
    from quasar_core.chain.chain import ChainUnavailable

    def away(*_):
        raise ChainUnavailable("away")

    world = sqlite_world
    monkeypatch.setattr(world.chain, "metagraph", away)
    before = counts(world)
    answer = world.submit("alice")
    refused(world, answer, 503, "metagraph_unavailable")
    assert answer.headers["retry-after"]
    assert counts(world) == before


def test_with_the_height_unknown_nobody_is_put_before_what_is_there(
    sqlite_world,
):
    from quasar_core.chain.chain import ChainUnavailable

    world = sqlite_world
    world.register("alice")
    world.blocks(5)
    world.doors.registry.gone = ChainUnavailable("away")
    submission_id = world.accepted("alice")
    assert world.view(submission_id)["commit_block"] == 5, "the metagraph's"


def test_with_the_database_away_it_is_said_and_when_to_come_again(
    sqlite_world, monkeypatch
):
    from sqlalchemy.exc import OperationalError

    world = sqlite_world
    world.register("alice")

    def away(*_args, **_kwargs):
        raise OperationalError("SELECT", {}, Exception("secret host"))

    monkeypatch.setattr("services.api.db.session.Session.execute", away)
    monkeypatch.setattr("services.api.db.session.Session.scalars", away)
    answer = world.submit("alice")
    refused(world, answer, 503, "unavailable")
    assert answer.headers["retry-after"]
    assert "secret" not in answer.text


def test_before_the_first_round_nothing_is_taken_in(sqlite_url, tmp_path):
    from tests.support.api import make_world

    for world in make_world(sqlite_url, tmp_path):
        world.register("alice")
        refused(world, world.submit("alice"), 503, "unavailable")
        refused(world, world.client.get("/rounds/current"), 503, "unavailable")
