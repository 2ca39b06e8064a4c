"""A model proposes, for money, over real HTTP; its token goes nowhere."""

import json
from dataclasses import dataclass, field

import pytest
from quasar_core.client.chat import ChatClient, ModelRefused

from services.miner_agent.agent.limits import BudgetSpent, Prices
from services.miner_agent.proposers.model import Model
from services.miner_agent.proposers.protocol import (
    NotNow,
    Situation,
    UnusableReply,
)
from tests.support.model_server import Reply, completion, model_server

TOKEN = "sk-very-secret"
FILES = {"chunk.py": "f = 1\n"}
GOOD = "SUMMARY: two\n=== FILE chunk.py\nf = 2\n=== END\n"


@dataclass
class Purse:
    left: float = 1e9
    settled: list[float | None] = field(default_factory=list)

    def reserve(self, most):
        if most > self.left:
            raise BudgetSpent("nothing is left")
        self.settled.append(None)
        return len(self.settled) - 1

    def settle(self, call, cost):
        self.settled[call] = cost


@pytest.fixture
def asked():
    """Propose once against these replies: the server, the purse, the end."""
    with model_server() as server:

        def propose(*replies, purse=None, seconds=20.0):
            server.replies = list(replies)
            purse = purse or Purse()
            with ChatClient(
                server.url,
                "m",
                TOKEN,
                timeout_seconds=seconds,
                reply_tokens=1_000,
            ) as client:
                model = Model(client, purse, Prices(2.0, 10.0), 1_000)
                try:
                    end = model.propose(Situation(FILES))
                except (NotNow, UnusableReply, BudgetSpent) as fault:
                    end = fault
            return server, purse, end

        yield propose


def test_a_reply_becomes_a_proposal_and_is_paid_for(asked):
    server, purse, proposal = asked(completion(GOOD, 500_000, 100_000))
    assert proposal.files == {"chunk.py": "f = 2\n"}
    assert purse.settled == [2.0]
    assert TOKEN not in json.dumps(server.asked)
    assert server.authorizations == [f"Bearer {TOKEN}"]


@pytest.mark.parametrize(
    ("reply", "seconds", "settled"),
    [
        (Reply(b"", 429, {"Retry-After": "30"}), 30.0, [0.0]),
        (Reply(b"garbage"), None, [None]),
    ],
)
def test_what_may_pass_is_not_now_and_paid_for_only_if_it_may_have_been(
    asked, reply, seconds, settled
):
    _, purse, fault = asked(reply)
    assert isinstance(fault, NotNow)
    assert (fault.seconds, purse.settled) == (seconds, settled)


def test_a_timeout_counts_at_its_dearest(asked):
    server, _, _ = asked(completion(GOOD))
    _, purse, fault = asked(server.stall, seconds=0.2)
    assert isinstance(fault, NotNow)
    assert purse.settled == [None]


@pytest.mark.parametrize(
    "text",
    [None, "I refuse.", GOOD.replace("chunk.py", "../../../.bashrc")],
)
def test_garbage_and_escaping_paths_are_paid_for_and_not_used(asked, text):
    _, purse, fault = asked(completion(text, 1_000_000, 0))
    assert isinstance(fault, UnusableReply)
    assert purse.settled == [2.0]


def test_an_endpoint_that_counts_nothing_is_counted_at_its_dearest(asked):
    body = {"choices": [{"message": {"content": GOOD}}]}
    _, purse, _ = asked(Reply(json.dumps(body).encode()))
    assert purse.settled == [None]


def test_a_call_that_might_cost_more_than_is_left_is_not_made(asked):
    server, _, fault = asked(completion(GOOD), purse=Purse(left=0.01))
    assert isinstance(fault, BudgetSpent)
    assert server.asked == []


def test_a_wrong_token_ends_it(asked):
    with pytest.raises(ModelRefused):
        asked(Reply(b"", 401))
