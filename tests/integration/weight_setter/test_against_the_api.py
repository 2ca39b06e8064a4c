"""Client and weight setter against the API itself, over real HTTP."""

from __future__ import annotations

import pytest
from quasar_core.chain.signatures import RequestSigner
from quasar_core.client.api import ProblemAnswer, QuasarClient
from quasar_core.contracts.http import SubmissionRequest, WeightsReport
from quasar_core.errors import ProblemCode

from services.miner_agent.watch import at_rest, follow
from services.weight_setter.setter import WeightSetter
from tests.support.api import make_world, submission
from tests.support.api_server import served
from tests.support.judged import play
from tests.support.postgres import sqlite_template, sqlite_url
from tests.support.wallets import address, keypair

__all__ = ["sqlite_template", "sqlite_url"]

ROUND = {"round_blocks": 100, "evaluating_blocks": 50, "min_improvement": 0.1}
VALIDATOR = address("validator")


@pytest.fixture
def world(sqlite_url, tmp_path):
    for made in make_world(sqlite_url, tmp_path, **ROUND):
        made.open_round()
        yield made


@pytest.fixture
def url(world):
    with served(world.client.app) as url:
        yield url


@pytest.fixture
def connect(url):
    clients: list[QuasarClient] = []

    def make(name: str) -> tuple[QuasarClient, RequestSigner]:
        signer = RequestSigner(keypair(name))
        client = QuasarClient(url, signer)
        clients.append(client)
        signer.learn(client.current_round().receiver_hotkey)
        return client, signer

    yield make
    for client in clients:
        client.close()


def request(name: str) -> SubmissionRequest:
    return SubmissionRequest(**submission(name))


def test_a_final_round_is_weighed_on_chain_and_reported(world, connect):
    world.register("validator", permit=True)
    world.register("alice")
    play(world, "alice", 0.5)
    world.register("bob")
    play(world, "bob", 1.0)
    client, signer = connect("validator")
    setter = WeightSetter(client, world.chain, VALIDATOR, signer)
    early = setter.turn()

    world.blocks(100)
    for _ in range(3):
        world.turn()
    late = setter.turn()

    assert early.outcome == "skipped"
    assert (late.outcome, late.round_number) == ("set", 1)
    standing = world.chain.weights_of(VALIDATOR)
    assert standing == pytest.approx({1: 0.6 / 0.85, 2: 0.25 / 0.85}, abs=1e-4)
    told = [record.report.outcome for record in client.weights().records]
    assert told == ["set", "skipped"]


def test_a_submission_is_handed_in_once_and_found_again(world, connect):
    hotkey = world.register("alice")
    client, _ = connect("alice")

    accepted = client.submit(request("alice"))
    again = client.submit(request("alice"))
    (listed,) = client.submissions(hotkey=hotkey, round=1).submissions

    assert again.submission_id == accepted.submission_id
    assert listed.submission_id == accepted.submission_id
    assert client.submission(accepted.submission_id).status == "queued"


def test_a_scored_submission_is_told_move_by_move(world, connect):
    world.register("alice")
    scored = play(world, "alice", 0.5)
    client, _ = connect("alice")

    moves = list(client.events(scored))
    (step,) = follow(client, scored)

    passed = [move.to_status for move in moves if move.kind == "moved"]
    assert passed == ["queued", "benchmarking", "verifying", "scored"]
    assert list(client.events(scored, after=moves[-1].sequence)) == []
    assert at_rest(step.view)


def test_every_reading_fits_its_contract(world, connect):
    world.register("alice")
    play(world, "alice", 0.5)
    client, _ = connect("alice")

    assert client.stats(limit=5).by_status["scored"] == 1
    assert client.leaderboard().rows[0].place == 1
    assert client.leaderboard(1, "200k").league == "200k"
    assert client.round(1).round_number == 1
    assert client.standings(1).final is False
    assert client.submissions(status="queued").submissions == ()


def refused(call) -> ProblemCode:
    with pytest.raises(ProblemAnswer) as caught:
        call()
    return caught.value.code


def test_refusals_come_with_their_codes(world, connect):
    client, signer = connect("stranger")
    report = WeightsReport(round_number=None, outcome="skipped", netuid=24)

    assert refused(lambda: client.submit(request("stranger"))) is (
        ProblemCode.NOT_REGISTERED
    )
    assert refused(lambda: client.report_weights(report)) is (
        ProblemCode.NOT_REGISTERED
    )
    assert refused(lambda: client.round(99)) is ProblemCode.NOT_FOUND
    signer.receiver = address("another deployment")
    assert refused(lambda: client.submit(request("stranger"))) is (
        ProblemCode.WRONG_RECEIVER
    )
