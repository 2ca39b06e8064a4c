"""Patience: what passes is waited out, what does not is told at once."""

from random import Random

import pytest
from quasar_core.client.answers import (
    ApiUnavailable,
    ProblemAnswer,
    UnreadableAnswer,
)
from quasar_core.errors import ProblemCode

from services.miner_agent.agent.limits import Backoff
from services.miner_agent.agent.patience import Patience

BUSY = ProblemAnswer(503, ProblemCode.UNAVAILABLE, "no database", 90.0)
AWAY = ApiUnavailable("the API does not answer")


@pytest.fixture
def ask():
    """Ask for what is answered one by one: the answer, and the waits."""

    def asked(*answers, hours=None):
        left, waits, said = list(answers), [], []

        def question():
            answer = left.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        def say(event, sentence, **fields):
            said.append((event, sentence))

        patience = Patience(Backoff(Random(1)), say, waits.append, hours)
        try:
            answer = patience.ask(question)
        except (ApiUnavailable, ProblemAnswer) as fault:
            answer = fault
        return answer, waits, said

    return asked


def test_what_is_away_is_asked_for_later_and_later(ask):
    answer, waits, said = ask(AWAY, AWAY, BUSY, "here")
    assert answer == "here"
    assert 2.0 <= waits[0] <= 3.0
    assert 4.0 <= waits[1] <= 6.0
    assert waits[2] >= 90.0
    assert said[0][0] == "waiting"
    assert said[0][1].startswith("the API does not answer; waiting ")


@pytest.mark.parametrize(
    "fault",
    [
        ProblemAnswer(403, ProblemCode.NOT_REGISTERED, "who?"),
        UnreadableAnswer("gave no RoundView"),
    ],
)
def test_what_waiting_does_not_mend_is_told_at_once(ask, fault):
    answer, waits, _ = ask(AWAY, fault, "never")
    assert (answer, len(waits)) == (fault, 1)


def test_it_waits_for_its_hours_alone(ask):
    answer, waits, _ = ask(*[AWAY] * 100, hours=0.5)
    assert answer is AWAY
    assert 1_800 <= sum(waits) <= 1_800 + 900
    assert ask(AWAY, "never", hours=0.0) == (AWAY, [], [])
