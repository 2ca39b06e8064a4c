"""A model's endpoint over real HTTP: answers, and all that is none."""

import json

import pytest
from quasar_core.client import chat
from quasar_core.client.chat import ChatClient, ModelBusy, ModelRefused

from tests.support.model_server import Reply, completion, model_server

TOKEN = "sk-very-secret"
MESSAGES = [{"role": "user", "content": "faster, please"}]


@pytest.fixture(scope="module")
def running():
    with model_server() as server:
        yield server


@pytest.fixture
def server(running):
    for each in (running.replies, running.asked, running.authorizations):
        each.clear()
    return running


def asked(server, *replies, token=TOKEN, seconds=20.0):
    server.replies.extend(replies)
    with ChatClient(
        f"{server.url}/",
        "qwen",
        token,
        timeout_seconds=seconds,
        reply_tokens=99,
    ) as client:
        return client.complete(MESSAGES)


def test_a_reply_comes_with_the_tokens_that_it_is_charged_by(server):
    reply = asked(server, completion("here", 11, 7))
    assert (reply.text, reply.prompt_tokens, reply.completion_tokens) == (
        "here",
        11,
        7,
    )
    assert server.asked == [
        {"model": "qwen", "messages": MESSAGES, "max_tokens": 99}
    ]
    assert server.authorizations == [f"Bearer {TOKEN}"]


def test_an_endpoint_of_ones_own_needs_no_token_and_counts_none(server):
    body = {"choices": [{"message": {"content": None}}]}
    reply = asked(server, Reply(json.dumps(body).encode()), token=None)
    assert (reply.text, reply.prompt_tokens) == ("", None)
    assert server.authorizations == [None]


def busy(server, *replies, **options):
    with pytest.raises(ModelBusy) as caught:
        asked(server, *replies, **options)
    assert TOKEN not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("headers", "wait"),
    [({"Retry-After": "17"}, 17.0), ({}, None), ({"Retry-After": "x"}, None)],
)
def test_a_full_house_says_when_to_come_again(server, headers, wait):
    fault = busy(server, Reply(b"slow down", 429, headers))
    assert (fault.retry_after_seconds, fault.counted) == (wait, False)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"choices": []}', b"\xff", b"null"]
)
def test_garbage_is_no_answer_and_may_have_been_charged(server, body):
    assert busy(server, Reply(body)).counted


def test_an_endless_reply_is_cut_off(server, monkeypatch):
    monkeypatch.setattr(chat, "LARGEST_REPLY_BYTES", 1_000)
    fault = busy(server, completion("x" * 2_000))
    assert fault.counted
    assert "1000 bytes" in str(fault)


def test_who_does_not_answer_in_time_may_have_been_charged(server):
    fault = busy(server, server.stall, seconds=0.2)
    assert fault.counted
    assert "0.2 s" in str(fault)


def test_a_reply_that_drips_is_not_waited_for(server, monkeypatch):
    moments = iter([0.0, *(100.0,) * 100])
    monkeypatch.setattr(chat.time, "monotonic", lambda: next(moments))
    assert busy(server, completion("x")).counted


def test_an_endpoint_that_is_not_there_charges_nothing():
    with (
        ChatClient(
            "http://127.0.0.1:9/v1",
            "m",
            None,
            timeout_seconds=5,
            reply_tokens=9,
        ) as client,
        pytest.raises(ModelBusy) as caught,
    ):
        client.complete(MESSAGES)
    assert not caught.value.counted


@pytest.mark.parametrize("status", [400, 401, 403, 404, 302])
def test_what_asking_again_does_not_help_is_told_once_for_all(server, status):
    with pytest.raises(ModelRefused, match=f"status {status}"):
        asked(server, Reply(b"{}", status))
