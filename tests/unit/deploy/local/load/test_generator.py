import pytest
from fastapi import FastAPI

from deploy.local.load.generator import (
    LOST,
    Answer,
    Shot,
    Volley,
    fire,
    request,
)
from tests.support.api_server import served
from tests.support.valkey import free_port


@pytest.fixture(scope="module")
def port():
    app = FastAPI()

    @app.post("/echo")
    async def echo(body: dict[str, int]) -> dict[str, int]:
        return body

    with served(app) as url:
        yield int(url.rsplit(":", 1)[1])


def test_every_request_is_answered_in_the_order_of_sending(port):
    shots = [
        Shot(number / 100, request("POST", "/echo", b'{"n":%d}' % number))
        for number in range(20)
    ]
    volley = fire(port, shots)
    assert volley.statuses() == {200: 20}
    assert [one.body for one in volley.answers] == [
        b'{"n":%d}' % number for number in range(20)
    ]


def test_a_refusal_keeps_its_status(port):
    volley = fire(port, [Shot(0.0, request("GET", "/nowhere"))])
    assert volley.statuses() == {404: 1}


def test_what_nobody_answers_is_lost():
    volley = fire(free_port(), [Shot(0.0, request("GET", "/"))])
    assert volley.statuses() == {LOST: 1}


def test_a_percentile_is_a_sample_that_was_measured():
    volley = Volley([Answer(202, n / 1_000, b"") for n in range(1, 101)])
    summary = volley.summary()
    assert (summary["p50_ms"], summary["p99_ms"]) == (50.0, 99.0)
    assert summary["max_ms"] == 100.0
    assert len(volley.with_status(202)) == 100
