"""open_chain: an address names one chain, or is told what would."""

from __future__ import annotations

from pathlib import Path

import pytest
from quasar_core.chain.chain import ChainUnavailable
from quasar_core.chain.local import LocalChain
from quasar_core.chain.open import ChainUrlFault, local_path, open_chain


def test_a_local_address_opens_the_chain_in_its_file(tmp_path):
    path = tmp_path / "chain.json"
    LocalChain.create(path)

    chain = open_chain(f"local://{path}", 24)

    assert chain.netuid == 24
    assert chain.rules() == LocalChain(path).rules()


def test_a_local_chain_that_is_not_there_is_unavailable(tmp_path):
    with pytest.raises(ChainUnavailable):
        open_chain(f"local://{tmp_path}/chain.json", 24)


@pytest.mark.parametrize(
    "url", ["finney", "test", "ws://127.0.0.1:9944", "wss://node.example"]
)
def test_networks_and_nodes_open_without_a_question_asked(url):
    chain = open_chain(url, 439)

    assert (chain.netuid, chain.block_seconds) == (439, 12.0)


@pytest.mark.parametrize(
    "url", ["", "main", "http://node.example", "/tmp/chain.json", "local://"]
)
def test_any_other_address_is_told_what_would_be_one(url):
    with pytest.raises(ChainUrlFault, match="local:///absolute/path"):
        open_chain(url, 24)


def test_only_a_local_address_has_a_file():
    assert local_path("local:///a/chain.json") == Path("/a/chain.json")
    assert local_path("local://~/c.json") == Path.home() / "c.json"
    assert local_path("finney") is None


def test_a_real_chains_blocks_last_as_long_as_it_is_told():
    chain = open_chain("ws://127.0.0.1:9944", 439, block_seconds=6.5)
    assert chain.block_seconds == 6.5
