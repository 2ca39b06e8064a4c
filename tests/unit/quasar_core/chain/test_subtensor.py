"""SubtensorChain: the real SDK, driven through a node in memory."""

from __future__ import annotations

import pytest
from bittensor import ChainError, RpcConnectionError
from quasar_core.chain import subtensor
from quasar_core.chain.chain import ChainUnavailable, SetOutcome
from quasar_core.chain.subtensor import SubtensorChain

from tests.support.chains import NETUID, VALIDATOR, validator_wallet
from tests.support.substrate import FakeNeuron, InMemorySubstrate
from tests.support.wallets import address

SHARES = {1: 0.6, 2: 0.25, 3: 0.1, 4: 0.05}


@pytest.fixture(autouse=True)
def _no_cache_at_home(tmp_path, monkeypatch):
    cache = tmp_path / "symbols.json"
    monkeypatch.setenv("BTCLI_TOKEN_SYMBOLS_CACHE", str(cache))


@pytest.fixture
def node() -> InMemorySubstrate:
    node = InMemorySubstrate(netuid=NETUID)
    node.neurons = [
        FakeNeuron(VALIDATOR, address("cold"), True, 3_500_000_000),
        *(FakeNeuron(address(f"m{i}"), address("c")) for i in range(4)),
    ]
    return node


@pytest.fixture
def chain(node):
    chain = SubtensorChain(
        "test", NETUID, wallet=validator_wallet(), substrate=node
    )
    yield chain
    chain.close()


def test_weights_leave_as_the_chain_wants_them(chain, node):
    chain.set_weights(SHARES, VALIDATOR)

    assert node.submitted == ["set_mechanism_weights"]
    assert node.weights[0] == [(1, 65535), (2, 27306), (3, 10923), (4, 5461)]


def test_with_commit_reveal_on_they_leave_timelocked(chain, node):
    node.commit_reveal = True

    result = chain.set_weights(SHARES, VALIDATOR)

    assert result.outcome is SetOutcome.SET
    assert node.submitted == ["commit_timelocked_mechanism_weights"]
    assert len(node.commits[0]["commit"]) > 100
    assert node.weights == {}


def test_the_subnets_own_version_key_is_sent(chain, node):
    node.version_key = 17

    assert chain.rules().version_key == 17
    assert chain.set_weights(SHARES, VALIDATOR).outcome is SetOutcome.SET


def test_a_fee_above_the_bound_is_never_paid(chain, node):
    node.fee_rao = 20_000_000

    result = chain.set_weights(SHARES, VALIDATOR)

    assert result.outcome is SetOutcome.REFUSED
    assert result.reason.startswith("policy_violation")
    assert node.submitted == []


def test_without_its_wallet_no_weights_are_set(node):
    for wallet in (None, validator_wallet("somebody")):
        chain = SubtensorChain("test", NETUID, wallet=wallet, substrate=node)
        result = chain.set_weights(SHARES, VALIDATOR)

        assert result.outcome is SetOutcome.REFUSED
        assert "no wallet is open" in result.reason
    assert node.submitted == []


def test_stake_is_told_in_whole_units(chain):
    assert chain.metagraph().neurons[0].stake == 3.5


def test_a_subnet_that_is_not_there_is_named(node):
    chain = SubtensorChain("test", 7, substrate=node)

    for ask in (chain.metagraph, chain.rules):
        with pytest.raises(ChainUnavailable, match="no subnet 7"):
            ask()
    chain.close()


@pytest.mark.parametrize(
    "fault",
    [
        RpcConnectionError("connection refused"),
        ChainError("state discarded"),
        ConnectionResetError("reset by peer"),
        TimeoutError(),
        KeyError("unheard of"),
    ],
)
def test_a_node_that_is_away_makes_the_chain_unavailable(chain, node, fault):
    node.fault = fault

    for ask in (chain.block, chain.metagraph, chain.rules):
        with pytest.raises(ChainUnavailable, match=r"^test gave no"):
            ask()
    with pytest.raises(ChainUnavailable):
        chain.weights_of(VALIDATOR)

    node.fault = None
    assert chain.block() == 1_000


def test_nonsense_is_no_answer(chain, node):
    node.nonsense = "soon"

    with pytest.raises(ChainUnavailable, match="no usable answer"):
        chain.block()


def test_a_node_that_hangs_is_given_up(chain, node, monkeypatch):
    monkeypatch.setattr(subtensor, "READ_TIMEOUT_SECONDS", 0.05)

    async def hang() -> int:
        import asyncio

        await asyncio.sleep(60)
        return 0

    monkeypatch.setattr(node, "block_number", hang)
    with pytest.raises(ChainUnavailable, match=r"no answer in 0\.05 s"):
        chain.block()


def test_a_refusal_by_the_chain_itself_is_told(chain, node):
    node.neurons[0].permit = False

    result = chain.set_weights(SHARES, VALIDATOR)

    assert result.outcome is SetOutcome.REFUSED
    assert result.reason.startswith("not_authorized")


def test_a_chain_that_lost_its_connection_while_setting_is_unavailable(
    chain, node, monkeypatch
):
    async def drop(*arguments, **named):
        raise RpcConnectionError("dropped")

    monkeypatch.setattr(node, "submit", drop)
    with pytest.raises(ChainUnavailable, match="dropped"):
        chain.set_weights(SHARES, VALIDATOR)


def test_closing_twice_does_no_harm(chain):
    chain.block()
    chain.close()
    chain.close()

    assert chain.block() == 1_000
