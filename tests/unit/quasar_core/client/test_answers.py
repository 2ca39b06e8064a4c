"""Answers: a problem is told as one, anything odd as unavailable."""

from __future__ import annotations

import httpx2
import pytest
from quasar_core.client.answers import (
    ApiUnavailable,
    ProblemAnswer,
    UnreadableAnswer,
    checked,
    parsed,
)
from quasar_core.contracts.http import Accepted
from quasar_core.errors import ProblemCode, TransientError

REQUEST = httpx2.Request("GET", "http://api.example/weights")
PROBLEM = {
    "type": "about:blank",
    "title": "Too many requests",
    "status": 429,
    "code": "rate_limited",
    "detail": "30 writes per minute",
}


def answer(status: int, **content) -> httpx2.Response:
    return httpx2.Response(status, request=REQUEST, **content)


def test_a_success_is_handed_on():
    response = answer(202, json={"accepted": True})

    assert checked(response) is response
    assert parsed(response, Accepted) == Accepted()


def test_a_problem_is_told_with_its_code_and_when_to_come_again():
    response = answer(
        429,
        json=PROBLEM,
        headers={
            "content-type": "application/problem+json; charset=utf-8",
            "retry-after": "17",
        },
    )

    with pytest.raises(ProblemAnswer) as caught:
        checked(response)

    told = caught.value
    assert (told.status, told.code) == (429, ProblemCode.RATE_LIMITED)
    assert told.detail == "30 writes per minute"
    assert told.retry_after_seconds == 17
    assert told.transient


@pytest.mark.parametrize(
    ("status", "transient"), [(401, False), (422, False), (503, True)]
)
def test_a_refusal_is_final_and_a_failure_is_not(status, transient):
    fault = ProblemAnswer(status, ProblemCode.INTERNAL, "")

    assert fault.transient is transient


@pytest.mark.parametrize(
    ("status", "body"), [(502, "<html>bad gateway"), (302, ""), (404, "{}")]
)
def test_what_is_not_the_apis_own_word_is_unavailable(status, body):
    with pytest.raises(ApiUnavailable, match=f"status {status}"):
        checked(answer(status, text=body))


@pytest.mark.parametrize(
    "body",
    ["", "accepted", "[]", '{"accepted": "?"}', '{"accepted": true, "x": 1}'],
)
def test_an_answer_that_does_not_fit_the_contract_is_unreadable(body):
    with pytest.raises(UnreadableAnswer, match="no Accepted") as caught:
        parsed(answer(200, text=body), Accepted)

    assert isinstance(caught.value, TransientError)


def test_a_problem_that_is_none_is_unreadable():
    kind = {"content-type": "application/problem+json"}

    with pytest.raises(UnreadableAnswer):
        checked(answer(500, text="{}", headers=kind))
