"""Faults of the platform: they delay a submission, and lose nothing."""

import json
import os
import signal
from dataclasses import replace

import pytest

from deploy.local.miners.kinds import kind_named
from deploy.local.miners.roster import enlist, send
from deploy.local.processes import Ended
from deploy.local.rules import Rules
from deploy.local.stack import Stack
from tests.support.platform import processes_in
from tests.support.waiting import eventually
from tests.support.workers import QUICK_JUDGE

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(900),
]

JUDGE = QUICK_JUDGE | {"logits": {"prompt_lengths": [256]}}
# all the lengths that there are: time to strike
del JUDGE["correctness_lengths"]
RULES = Rules(
    lease_seconds=6.0, heartbeat_seconds=1.5, judge=json.dumps(JUDGE)
)
JUDGED_SECONDS = 300.0


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    with Stack(tmp_path_factory.mktemp("stack"), RULES) as running:
        running.start()
        yield running


@pytest.fixture
def client(stack):
    with stack.client() as client:
        yield client


def sent_in(stack, client, tokens):
    """A submission of the slow kernel: there is time to strike."""
    (miner,) = enlist(
        [kind_named("honest_slow")],
        chain=stack.chain,
        wallets=stack.place.wallets,
        forks=stack.place.forks / str(tokens),
        league_unit=RULES.league_unit,
    )
    receiver = client.current_round().receiver_hotkey
    mine = replace(miner, sequence_length=tokens)
    return send(mine, stack.wiring.api_url, receiver).submission_id


def await_status(client, submission_id, *statuses):
    seen = []

    def there():
        seen.append(client.submission(submission_id))
        return seen[-1].status in statuses

    eventually(there, f"{submission_id} -> {statuses}", JUDGED_SECONDS)
    return seen[-1]


def await_stage(client, submission_id, stage):
    def there():
        return client.submission(submission_id).stage == stage

    eventually(there, f"{submission_id} at {stage}", JUDGED_SECONDS)


def moves_of(client, submission_id):
    moves = client.events(submission_id)
    return [move.to_status for move in moves if move.kind == "moved"]


def test_a_worker_killed_in_the_middle_delays_its_submission_alone(
    stack, client
):
    mine = sent_in(stack, client, 512)
    await_stage(client, mine, "correctness")
    worker = stack.processes.pid("benchmark-worker")
    os.kill(worker, signal.SIGKILL)
    stack.processes.restart("benchmark-worker")
    view = await_status(client, mine, "scored", "rejected", "infra_failed")
    assert view.status == "scored"
    assert view.attempts >= 2
    moves = moves_of(client, mine)
    assert moves[:4] == ["queued", "benchmarking", "queued", "benchmarking"]
    assert moves[-1] == "scored"
    assert moves.count("verifying") == 1


def test_a_worker_told_to_end_hands_its_job_back_and_ends_cleanly(
    stack, client
):
    mine = sent_in(stack, client, 576)
    await_stage(client, mine, "correctness")
    ended = stack.processes.end("benchmark-worker", grace_seconds=20.0)
    assert ended == Ended("benchmark-worker", 0, killed=False)
    stack.processes.restart("benchmark-worker")
    view = await_status(client, mine, "scored", "rejected", "infra_failed")
    assert view.status == "scored"
    moves = moves_of(client, mine)
    assert moves[:4] == ["queued", "benchmarking", "queued", "benchmarking"]


def test_each_process_ends_cleanly_when_told_and_leaves_nothing(stack):
    names = stack.processes.names
    ended = stack.processes.stop(grace_seconds=20.0)
    assert ended == tuple(
        Ended(name, 0, killed=False) for name in reversed(names)
    )
    assert processes_in(stack.place.root) == {}
