"""D6, D10, D12: impostors, floods, and labels that strangers make up."""

# pylint: disable=redefined-outer-name

import json
import re
import time

import pytest
from bittensor import http_auth
from prometheus_client import REGISTRY
from sqlalchemy import func, select

from services.api.db.models import Submission
from tests.support.api import RECEIVER, make_world, submission
from tests.support.wallets import address, keypair

PATH = "/submit_submission"


@pytest.fixture
def world(sqlite_url, redis_url, tmp_path):
    """An API with the limits that it has by default, but for bans."""
    for made in make_world(
        sqlite_url,
        tmp_path,
        redis_url=redis_url,
        requests_per_minute=120,
        writes_per_minute=30,
    ):
        made.open_round()
        yield made


def body_of(name, **changes):
    return json.dumps({**submission(name), **changes}).encode()


def signed(name, body, *, path=PATH, receiver=RECEIVER, nonce_ns=None):
    return http_auth.sign(
        keypair(name),
        method="POST",
        path=path,
        body=body,
        receiver_ss58=receiver,
        nonce_ns=nonce_ns,
    )


def send(world, body, headers, path=PATH):
    kind = {"Content-Type": "application/json"}
    return world.client.post(path, content=body, headers=kind | headers)


def code(answer):
    return answer.status_code, answer.json().get("code")


def kept(world):
    with world.database.read() as session:
        query = select(func.count()).select_from(Submission)
        return session.scalar(query)


# --- D6: impostors -----------------------------------------------------------


def ago(seconds):
    return time.time_ns() - int(seconds * 1e9)


IMPOSTORS = {
    "a body that was swapped": (
        lambda body: (body_of("mallory"), signed("alice", body)),
        (401, "signature_bad"),
    ),
    "another's hotkey": (
        lambda body: (
            body,
            {
                **signed("mallory", body),
                "X-Bittensor-Hotkey": address("alice"),
            },
        ),
        (401, "signature_bad"),
    ),
    "a nonce that was moved on": (
        lambda body: (
            body,
            {**signed("alice", body), "X-Bittensor-Nonce": str(ago(1))},
        ),
        (401, "signature_bad"),
    ),
    "a signature of another endpoint": (
        lambda body: (body, signed("alice", body, path="/weights/reports")),
        (401, "signature_bad"),
    ),
    "a signature for another deployment": (
        lambda body: (body, signed("alice", body, receiver=address("other"))),
        (401, "wrong_receiver"),
    ),
    "another deployment's signature with the receiver mended": (
        lambda body: (
            body,
            {
                **signed("alice", body, receiver=address("other")),
                "X-Bittensor-Receiver": RECEIVER,
            },
        ),
        (401, "signature_bad"),
    ),
    "a request kept for later": (
        lambda body: (body, signed("alice", body, nonce_ns=ago(11))),
        (401, "signature_stale"),
    ),
    "a request made in advance": (
        lambda body: (body, signed("alice", body, nonce_ns=ago(-5))),
        (401, "signature_stale"),
    ),
    "a nonce of no clock": (
        lambda body: (
            body,
            {**signed("alice", body), "X-Bittensor-Nonce": "9" * 25},
        ),
        (401, "signature_malformed"),
    ),
    "half of the headers": (
        lambda body: (
            body,
            {
                name: value
                for name, value in signed("alice", body).items()
                if "Signature" not in name
            },
        ),
        (401, "signature_malformed"),
    ),
}


@pytest.mark.parametrize("attack", IMPOSTORS)
def test_d6_nobody_speaks_for_another(world, attack):
    world.register("alice")
    world.register("mallory")
    make, refusal = IMPOSTORS[attack]
    body, headers = make(body_of("alice"))
    assert code(send(world, body, headers)) == refusal
    assert kept(world) == 0


def test_d6_a_nonce_is_good_for_one_request_whatever_it_says(world):
    world.register("alice")
    nonce = time.time_ns()
    for length, expected in ((1_000, 202), (1_500, 409), (1_000, 409)):
        body = body_of("alice", target_sequence_length=length)
        answer = send(world, body, signed("alice", body, nonce_ns=nonce))
        assert answer.status_code == expected
    assert kept(world) == 1


# --- D10: floods -------------------------------------------------------------


def test_d10_one_hotkey_that_floods_is_stopped_and_keeps_nobody_out(world):
    world.register("alice")
    world.register("bob")
    statuses = [world.submit("alice").status_code for _ in range(40)]
    assert statuses[:30] == [202] + [200] * 29
    assert set(statuses[30:]) == {429}
    assert world.submit("bob").status_code == 202
    assert kept(world) == 2


def test_d10_many_hotkeys_of_one_coldkey_wait_in_one_place(world):
    for number in range(10):
        world.register(f"sock-{number}", "one-coldkey")
    answers = [code(world.submit(f"sock-{n}")) for n in range(10)]
    assert answers[0][0] == 202
    assert set(answers[1:]) == {(429, "quota_exceeded")}
    assert kept(world) == 1


def test_d10_many_strangers_of_one_address_are_stopped_by_it(world):
    answers = [code(world.submit(f"stranger-{n}")) for n in range(125)]
    assert set(answers[:120]) == {(403, "not_registered")}
    assert set(answers[120:]) == {(429, "rate_limited")}
    assert kept(world) == 0


# --- D12: labels -------------------------------------------------------------


def series():
    return {
        (sample.name, *sorted(sample.labels.items()))
        for metric in REGISTRY.collect()
        for sample in metric.samples
    }


def provoke(world, names):
    """Everything of a request that a stranger may choose, chosen anew."""
    for name in names:
        world.submit(name)
        send(world, body_of(name, commit_hash=name), signed(name, b""))
        world.client.get(f"/{name}/{name}")
        world.client.get(f"/submissions?hotkey={address(name)}")
        world.client.get(f"/rounds/{name}", headers={"X-Request-ID": name * 9})
        world.client.request(name.upper().replace("-", ""), "/rounds")


def test_d12_no_stranger_makes_a_series(world):
    world.register("known")
    provoke(world, ["known", "first"])
    before = series()
    names = [f"many-{number}" for number in range(15)]
    provoke(world, names)
    assert series() - before == set(), "a label follows what is sent"
    text = world.client.get("/metrics").text
    for secret in (*names, *map(address, names)):
        assert not re.search(re.escape(secret), text, re.IGNORECASE)
