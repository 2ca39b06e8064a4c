"""Taking part: somebody with a wallet, a fork and a uid hands in a commit."""

from __future__ import annotations

import pytest
from quasar_core.chain.keys import KeyFault
from quasar_core.chain.local import LocalChain
from quasar_core.chain.signatures import WrongReceiver
from quasar_core.execution.git import create_repository

from services.miner_agent.repository import RepositoryFault, open_fork
from services.miner_agent.settings import MinerSettings
from services.miner_agent.taking_part import (
    NotSent,
    check_length,
    fork_url_of,
    join,
    signed_client,
    submit,
)
from tests.support.api_server import RECEIVER, round_view, serving
from tests.support.wallets import address

KERNEL = b"def chunk_quasar(q, k, v, beta):\n    return v, None\n"
FILES = {"fla/ops/quasar/__init__.py": KERNEL}


@pytest.fixture
def settings(tmp_path) -> MinerSettings:
    return MinerSettings(
        chain_url=f"local://{tmp_path}/chain.json",
        netuid=24,
        wallet_path=tmp_path / "wallets",
    )


@pytest.fixture
def fork(tmp_path):
    create_repository(tmp_path / "fork", FILES)
    return open_fork(tmp_path / "fork")


def test_joining_makes_a_wallet_a_fork_and_a_registration(settings, tmp_path):
    chain = LocalChain.create(tmp_path / "chain.json")

    joined = join(settings, tmp_path / "fork")

    neuron = chain.metagraph().by_hotkey()[joined.hotkey]
    assert (neuron.uid, neuron.coldkey) == (joined.uid, joined.coldkey)
    assert open_fork(tmp_path / "fork").commit_hash == joined.commit_hash
    assert joined.warnings == ()


def test_joining_again_changes_nothing(settings, tmp_path):
    LocalChain.create(tmp_path / "chain.json")

    assert join(settings, tmp_path / "fork") == join(
        settings, tmp_path / "fork"
    )


def test_without_the_local_chain_the_rest_is_made_and_it_is_said(
    settings, tmp_path
):
    joined = join(settings, tmp_path / "fork")

    assert joined.uid is None
    assert "quasar up" in joined.warnings[0]
    LocalChain.create(tmp_path / "chain.json")
    assert join(settings, tmp_path / "fork").uid == 0


def test_on_a_real_chain_registering_is_left_to_its_own_tool(
    settings, tmp_path
):
    far = settings.model_copy(update={"chain_url": "finney", "netuid": 439})

    joined = join(far, tmp_path / "fork")

    assert joined.uid is None
    assert "btcli subnets register --netuid 439" in joined.warnings[0]


def test_a_fork_of_ones_own_is_kept(settings, fork, tmp_path):
    joined = join(settings, fork.path)

    assert joined.commit_hash == fork.commit_hash


def test_a_folder_that_is_in_use_is_not_taken(settings, tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")

    with pytest.raises(RepositoryFault):
        join(settings, tmp_path)


def test_a_commit_is_handed_in_signed_by_the_wallet(settings, fork, tmp_path):
    hotkey = join(settings, fork.path).hotkey
    with serving() as api:
        there = settings.model_copy(update={"api_url": api.url})
        with signed_client(there) as (client, signer):
            assert signer == hotkey
            accepted = submit(client, fork, "file:///fork", 512, 1e3)

    assert accepted.position == 3
    assert api.callers == [hotkey]
    assert api.submitted == [
        {
            "fork_url": "file:///fork",
            "commit_hash": fork.commit_hash,
            "target_sequence_length": 512,
            "tokens_per_sec": 1e3,
        }
    ]


def test_without_a_wallet_nobody_is_asked(settings):
    with pytest.raises(KeyFault, match="quasar miner init"):
        signed_client(settings).__enter__()


def test_an_api_that_is_not_the_expected_one_gets_no_signature(settings, fork):
    join(settings, fork.path)
    with serving() as api:
        wary = settings.model_copy(
            update={
                "api_url": api.url,
                "receiver_hotkey": address("somebody else"),
            }
        )
        with pytest.raises(WrongReceiver, match=RECEIVER):
            signed_client(wary).__enter__()

    assert api.requests == ["GET /rounds/current"]


def test_on_this_machine_the_fork_has_the_folders_address(settings, fork):
    assert fork_url_of(settings, fork) == f"file://{fork.path.resolve()}"


def test_elsewhere_the_fork_needs_a_public_address(settings, fork):
    far = settings.model_copy(update={"chain_url": "finney"})

    with pytest.raises(NotSent, match="--fork-url"):
        fork_url_of(far, fork)


@pytest.mark.parametrize(
    ("length", "fault"),
    [
        (-1, "below the smallest league of round 2, which begins at 512"),
        (0, "below the smallest"),
        (511, "below the smallest"),
        (512, None),
        (4_096, None),
        (4_097, "more than the 4096 that round 2 judges"),
        (10**12, "more than"),
    ],
)
def test_a_length_that_is_not_judged_is_not_sent(length, fault):
    current = round_view(settings={"max_sequence_length": 4_096})
    if fault is None:
        check_length(current, length)
        return

    with pytest.raises(NotSent, match=fault):
        check_length(current, length)
