"""SubtensorChain: the real SDK, driven through a node in memory."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

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


def beside(ask: Callable[[], object]) -> tuple[threading.Thread, list[str]]:
    """Somebody who asks in a thread of his own, and what he is told."""
    told: list[str] = []

    def run() -> None:
        try:
            told.append(str(ask()))
        except ChainUnavailable as fault:
            told.append(str(fault))

    thread = threading.Thread(target=run)
    thread.start()
    return thread, told


@pytest.fixture
def hanging(node, monkeypatch) -> threading.Event:
    """Set when the node was asked for the block's number, and hangs."""
    asked = threading.Event()

    async def hang() -> int:
        asked.set()
        await asyncio.sleep(3_600)
        return 0

    monkeypatch.setattr(node, "block_number", hang)
    return asked


def test_a_question_given_up_ends_the_others_as_unavailable(
    chain, hanging, monkeypatch
):
    thread, told = beside(chain.block)
    assert hanging.wait(60)
    monkeypatch.setattr(subtensor, "READ_TIMEOUT_SECONDS", 0.05)

    with pytest.raises(ChainUnavailable, match="no answer in"):
        chain.block()
    thread.join(60)
    assert told == ["test gave no usable answer: the connection was ended"]


def test_a_question_that_fails_ends_no_connection_opened_after_it(
    chain, node, hanging, monkeypatch
):
    faults, reopened = subtensor._world_faults(), threading.Event()

    def late() -> tuple[type[Exception], ...]:
        assert reopened.wait(60)
        return faults

    async def seven() -> int:
        return 7

    monkeypatch.setattr(subtensor, "_world_faults", late)
    thread, told = beside(chain.block)
    assert hanging.wait(60)
    chain.close()
    monkeypatch.setattr(node, "block_number", seven)
    assert chain.block() == 7
    (line,) = [one for one in threading.enumerate() if one.name == "chain"]
    reopened.set()
    thread.join(60)

    assert len(told) == 1
    assert line.is_alive()
    chain.close()
    assert not line.is_alive()


def test_threads_that_ask_at_once_open_one_connection(
    chain, node, monkeypatch
):
    opening, most = [0], [0]

    async def connect() -> None:
        opening[0] += 1
        most[0] = max(most[0], opening[0])
        await asyncio.sleep(0.05)
        opening[0] -= 1

    monkeypatch.setattr(node, "connect", connect)
    callers = [beside(chain.block) for _ in range(4)]
    for thread, _ in callers:
        thread.join(60)

    assert [told for _, told in callers] == [["1000"]] * 4
    assert most == [1]
