"""The roster: miners with keys and forks, and how they send them in."""

import threading

import pytest
from quasar_core.chain.local import LocalChain
from quasar_core.chain.local_state import Genesis
from quasar_core.client.api import ProblemAnswer
from quasar_core.errors import ProblemCode

from deploy.local.miners.kinds import kind_named
from deploy.local.miners.roster import await_next_block, enlist, send
from tests.support.api_server import RECEIVER, problem, serving


@pytest.fixture
def chain(tmp_path):
    return LocalChain.create(
        tmp_path / "chain.json", Genesis(block_seconds=60.0)
    )


@pytest.fixture
def miner(tmp_path, chain):
    (found,) = enlist(
        [kind_named("liar")],
        chain=chain,
        wallets=tmp_path / "wallets",
        forks=tmp_path / "forks",
        league_unit=512,
    )
    return found


@pytest.fixture
def api():
    with serving() as api:
        yield api


def test_a_miner_is_registered_and_plays_in_the_league_of_his_kind(
    miner, chain
):
    neuron = chain.metagraph().by_hotkey()[miner.wallet.hotkey]
    assert neuron.coldkey == miner.wallet.coldkey
    assert miner.sequence_length == 5_120


def test_a_submission_is_signed_by_its_miner(miner, api):
    sent = send(miner, api.url, RECEIVER)
    assert sent.miner is miner
    assert api.callers == [miner.wallet.hotkey]
    (posted,) = api.submitted
    assert posted["fork_url"] == miner.fork.url
    assert posted["commit_hash"] == miner.fork.commit_hash
    assert posted["target_sequence_length"] == 5_120


def test_one_who_registered_a_moment_ago_is_patient(miner, api):
    api.fail_with = [
        problem(403, ProblemCode.NOT_REGISTERED, "who?") for _ in range(2)
    ]
    send(miner, api.url, RECEIVER)
    assert len(api.submitted) == 1


def test_one_who_is_never_known_gives_up(miner, api, monkeypatch):
    monkeypatch.setattr("deploy.local.miners.roster.NEWCOMER_SECONDS", 0.0)
    api.fail_with = [
        problem(403, ProblemCode.NOT_REGISTERED, "who?") for _ in range(9)
    ]
    with pytest.raises(ProblemAnswer, match=r"who\?"):
        send(miner, api.url, RECEIVER)


def test_any_other_refusal_is_told_at_once(miner, api):
    api.fail_with = [problem(409, ProblemCode.QUOTA_EXCEEDED, "enough")]
    with pytest.raises(ProblemAnswer, match="enough"):
        send(miner, api.url, RECEIVER)
    assert api.submitted == []


def test_waiting_for_the_next_block_ends_with_it(chain):
    timer = threading.Timer(0.1, chain.advance, (1,))
    timer.start()
    assert await_next_block(chain) == 1
    timer.join()
