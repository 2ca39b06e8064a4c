"""How often: limits over a real Valkey, and open without it."""

# pylint: disable=redefined-outer-name

import json
import time
from functools import partial

import jsonschema_rs
import pytest
from quasar_core.chain.signatures import sign

from tests.support.api import RECEIVER, make_world, submission
from tests.support.wallets import address, keypair, spelled

LIMITS = {
    "requests_per_minute": 1_000,
    "writes_per_minute": 3,
    "auth_failures": 3,
}


@pytest.fixture
def limited(sqlite_url, redis_url, tmp_path):
    for world in make_world(
        sqlite_url, tmp_path, redis_url=redis_url, **LIMITS
    ):
        world.open_round()
        yield world


def problem(answer):
    return answer.status_code, answer.json()["code"]


def left(answer):
    return {
        name: int(answer.headers[f"ratelimit-{name}"])
        for name in ("limit", "remaining")
    }


def fail(world, **headers):
    """A write that fails to prove who sends it."""
    return world.client.post("/submit_submission", json={}, headers=headers)


def forwarded(world, client, path="/rounds/current"):
    """A read that a proxy passes on for a client."""
    return world.client.get(path, headers={"X-Forwarded-For": client})


def addressed(world, receiver):
    """A submission that was signed for a receiver."""
    path, body = "/submit_submission", json.dumps(submission("a")).encode()
    headers = {
        "Content-Type": "application/json",
        **world.signed("a", "POST", path, body, address(receiver)),
    }
    return world.client.post(path, content=body, headers=headers)


def test_a_hotkey_writes_so_often_and_is_told_what_is_left(limited):
    world = limited
    world.register("a")
    answers = [world.submit("a") for _ in range(4)]
    assert [one.status_code for one in answers] == [202, 200, 200, 429]
    assert [left(one)["remaining"] for one in answers] == [2, 1, 0, 0]
    last = answers[-1]
    assert problem(last) == (429, "rate_limited")
    assert 0 < int(last.headers["retry-after"]) <= 60
    assert last.headers["retry-after"] == last.headers["ratelimit-reset"]
    assert last.headers["ratelimit-policy"] == "3;w=60"


def test_an_answer_has_the_headers_that_the_document_promises(
    sqlite_url, redis_url, tmp_path
):
    seen = set()
    rules = {**LIMITS, "auth_failures": 0}
    for world in make_world(
        sqlite_url, tmp_path, redis_url=redis_url, **rules
    ):
        world.open_round()
        document = world.client.app.openapi()
        described = document["components"]["headers"]
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                answer = world.client.request(method, path)
                promised = operation["responses"][str(answer.status_code)]
                names = set(promised.get("headers", ())) - {"Retry-After"}
                told = {n for n in answer.headers if "ratelimit" in n}
                assert told == {name.lower() for name in names}, path
                for name in names:
                    schema = described[name]["schema"]
                    whole = schema["type"] == "integer"
                    value = answer.headers[name]
                    jsonschema_rs.validator_for(schema).validate(
                        int(value) if whole else value
                    )
                seen.add((path.startswith("/health/"), bool(names)))
    assert seen == {(True, False), (False, True)}


def test_a_hotkey_in_another_spelling_has_no_other_limit(limited):
    world = limited
    world.register("a")
    for _ in range(3):
        world.submit("a")
    body = json.dumps(submission("a")).encode()
    key = spelled("a")
    headers = sign(key, "POST", "/submit_submission", body, RECEIVER)
    answer = world.client.post(
        "/submit_submission", content=body, headers=headers
    )
    assert problem(answer) == (429, "rate_limited")


def test_a_hotkey_s_limit_is_used_up_by_nobody_else(limited):
    world = limited
    world.register("a")
    world.register("b")
    body = json.dumps(submission("a")).encode()
    forged = {
        **world.signed("b", "POST", "/submit_submission", body),
        "X-Bittensor-Hotkey": address("a"),
    }
    answer = world.client.post(
        "/submit_submission", content=body, headers=forged
    )
    assert answer.status_code == 401
    assert left(world.submit("a"))["remaining"] == 2


def test_reading_uses_no_write_up_and_health_uses_nothing_up(limited):
    world = limited
    for _ in range(5):
        answer = world.client.get("/rounds/current")
    assert left(answer) == {"limit": 1_000, "remaining": 995}
    answer = world.client.get("/health/live")
    assert "ratelimit-limit" not in answer.headers


def test_an_address_asks_so_often_whatever_it_asks(
    sqlite_url, redis_url, tmp_path
):
    for world in make_world(
        sqlite_url,
        tmp_path,
        redis_url=redis_url,
        requests_per_minute=3,
        peer="10.0.0.1",
        trusted_proxies=("10.0.0.1",),
    ):
        world.open_round()
        ask = partial(forwarded, world)
        for path in ("/rounds/current", "/nothing", "/rounds/x"):
            assert ask("198.51.100.1", path).status_code != 429
        answer = ask("198.51.100.1")
        assert problem(answer) == (429, "rate_limited")
        assert answer.headers["retry-after"]
        # what stands before the proxy's own word changes nothing
        assert ask("203.0.113.9, 198.51.100.1").status_code == 429
        assert ask("198.51.100.2").status_code == 200
        assert world.client.get("/health/live").status_code == 200


def test_failed_signatures_ban_an_address_for_a_while(limited):
    world = limited
    world.register("a")
    for _ in range(3):
        assert fail(world).status_code == 401
    for answer in (fail(world), world.client.get("/rounds/current")):
        assert problem(answer) == (403, "banned")
        assert 0 < int(answer.headers["retry-after"]) <= 3_600
    assert problem(world.submit("a")) == (403, "banned")
    assert world.client.get("/health/live").status_code == 200


def test_a_request_that_comes_too_late_is_no_failure_to_sign(limited):
    world = limited
    path, body = "/submit_submission", json.dumps(submission("a")).encode()
    late = time.time_ns() - 60_000_000_000
    headers = sign(keypair("a"), "POST", path, body, RECEIVER, late)
    for _ in range(5):
        answer = world.client.post(path, content=body, headers=headers)
        assert problem(answer) == (401, "signature_stale")
        assert "ratelimit-remaining" in answer.headers, "it is bounded"
    for _ in range(3):
        assert fail(world).status_code == 401
    assert problem(fail(world)) == (403, "banned")


def test_who_signs_as_he_must_is_never_counted_as_failing(limited):
    world = limited
    for _ in range(3):
        assert world.submit("stranger").status_code == 403
    assert world.client.get("/rounds/current").status_code == 200


def test_with_redis_gone_submissions_are_taken_and_nothing_is_limited(
    sqlite_url, own_valkey, tmp_path
):
    for world in make_world(
        sqlite_url, tmp_path, redis_url=own_valkey.url, **LIMITS
    ):
        world.open_round()
        for name in "abcd":
            world.register(name, "cold")
        assert world.submit("a").status_code == 202
        own_valkey.stop()
        for _ in range(5):
            answer = world.submit("a")
            assert answer.status_code == 200
            assert "ratelimit-limit" not in answer.headers
        length = {"target_sequence_length": 1_500}
        assert world.submit("b", **length).status_code == 202
        for _ in range(5):
            assert fail(world).status_code == 401


def test_former_hotkeys_of_the_api_are_answered_until_they_are_not(
    sqlite_url, tmp_path
):
    until = "2027-01-02T03:05:00Z"
    for world in make_world(
        sqlite_url,
        tmp_path,
        former_receiver_hotkeys={spelled("old").ss58_address: until},
    ):
        world.open_round()
        world.register("a")
        submit = partial(addressed, world)
        assert submit("api").status_code == 202
        assert submit("old").status_code == 200
        assert problem(submit("other")) == (401, "wrong_receiver")
        world.later(60)
        assert problem(submit("old")) == (401, "wrong_receiver")
        assert submit("api").status_code == 200
        now = world.client.get("/rounds/current").json()
        assert now["receiver_hotkey"] == RECEIVER
