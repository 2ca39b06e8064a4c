"""The SDK's own client at a node that is none: never a crash, never a leak."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from quasar_core.chain import subtensor
from quasar_core.chain.chain import ChainUnavailable
from quasar_core.chain.subtensor import SubtensorChain

from tests.support.bad_nodes import (
    always,
    answering,
    answering_bytes,
    hanging,
    hanging_up,
    refusing,
    refusing_requests,
)

HEAD = {"specVersion": 300, "transactionVersion": 1, "number": "0x10"}

NODES = {
    "nobody listens": refusing,
    "it hangs": hanging,
    "it hangs up": hanging_up,
    "another protocol": lambda: answering_bytes(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "an empty answer": lambda: answering_bytes(b""),
    "a web page": lambda: answering_bytes(
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
    ),
    "slow down": lambda: answering_bytes(
        b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n"
    ),
    "no JSON": lambda: answering(lambda *_: "hello"),
    "JSON of another kind": lambda: answering(lambda *_: "[1, 2]"),
    "a bare word": lambda: answering(lambda *_: '"x"'),
    "JSON without end": lambda: answering(lambda *_: "[" * 100_000),
    "an answer to somebody else": lambda: answering(
        lambda _, number: json.dumps({"id": number + 999, "result": 1})
    ),
    "a refusal": lambda: answering(refusing_requests({"code": -32_603})),
    "a refusal in a word": lambda: answering(refusing_requests("no")),
    "a refusal without any": lambda: answering(refusing_requests(None)),
    "null": lambda: answering(always(None)),
    "a number": lambda: answering(always(7)),
    "no metadata": lambda: answering(always(HEAD)),
    "a text": lambda: answering(always("0xdeadbeef")),
}


@pytest.fixture(autouse=True)
def _impatient(tmp_path, monkeypatch):
    monkeypatch.setattr(subtensor, "READ_TIMEOUT_SECONDS", 0.3)
    cache = tmp_path / "symbols.json"
    monkeypatch.setenv("BTCLI_TOKEN_SYMBOLS_CACHE", str(cache))


@pytest.mark.parametrize("node", NODES.values(), ids=NODES)
def test_whatever_answers_the_chain_is_only_unavailable(node):
    with node() as url:
        chain = SubtensorChain(url, 24)
        with pytest.raises(
            ChainUnavailable, match=r"gave no (usable )?answer"
        ):
            chain.metagraph()
        chain.close()


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("node", [hanging, hanging_up])
def test_a_node_that_stays_away_costs_nothing_however_often_it_is_asked(node):
    with node() as url:
        chain = SubtensorChain(url, 24)
        with pytest.raises(ChainUnavailable):
            chain.block()
        before = open_files()

        for _ in range(5):
            with pytest.raises(ChainUnavailable):
                chain.block()

        assert open_files() <= before
        assert "chain" not in {each.name for each in threading.enumerate()}


def test_what_a_node_says_is_shown_without_what_moves_a_cursor():
    told = {
        "code": 1,
        "message": "\x1b[2J\r\nsee\x07 \u202egnp.exe" + "!" * 900,
    }
    with answering(refusing_requests(told)) as url:
        chain = SubtensorChain(url, 24)
        with pytest.raises(ChainUnavailable) as caught:
            chain.block()
    text = str(caught.value)
    assert text.isprintable()
    assert "see" in text
    assert len(text) < 400
