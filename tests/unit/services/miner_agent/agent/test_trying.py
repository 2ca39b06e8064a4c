"""Trying: a change comes to its end, or to another judging.

What the loop makes of it is in test_loop.
"""

from __future__ import annotations

import pytest
from quasar_core.errors import TransientError
from quasar_core.execution.git import create_repository

from services.miner_agent.agent.keeping import Keeper
from services.miner_agent.agent.logbook import Logbook
from services.miner_agent.agent.tables import State
from services.miner_agent.agent.task import Task
from services.miner_agent.agent.trying import NotJudged, Trying
from services.miner_agent.agent.workshop import Workshop
from services.miner_agent.proposers.protocol import UnusableReply
from services.miner_agent.proposers.search import Search
from tests.support.agents import KERNEL, ScriptedJudge


class Wordy:
    """A model that says nothing that could be applied."""

    name = "model"

    def propose(self, situation):
        raise UnusableReply("I would rather not")


@pytest.fixture
def trying(tmp_path):
    """Tries after a start, with this judge: the tries and the logbook."""
    create_repository(tmp_path, {"fla/ops/quasar/__init__.py": b"-"})
    book = Logbook(None)

    def made(before=lambda _: None, proposer=None):
        task = Task(
            workshop=Workshop(tmp_path),
            logbook=book,
            judging=ScriptedJudge(before=before),
            proposer=proposer or Search(restarts=0),
            desk=None,
            say=lambda *_, **__: None,
            sequence_length=512,
            least_gain=0.1,
        )
        shift, _ = book.begin()
        if not book.tries():
            book.add(
                shift,
                is_start=True,
                sequence_length=512,
                proposer="fork",
                summary="the fork as it was",
                files={"__init__.py": KERNEL},
                state=State.OVERTAKEN,
                speedup=1.0,
            )
        return Trying(task, shift, Keeper(task)), book

    yield made
    book.close()


def test_a_try_comes_to_its_end(trying):
    tries, book = trying()
    one = tries.one()
    assert one is not None
    assert (one.summary, one.state) == ("__init__.py:SPEED 1 -> 2", "kept")
    assert len(book.judgings(one)) == 1


def test_a_reply_that_cannot_be_applied_is_a_try_that_is_not_judged(trying):
    tries, book = trying(proposer=Wordy())
    one = tries.one()
    assert one is not None
    assert (one.state, one.code) == ("discarded", "unusable_reply")
    assert book.judgings(one) == []


def test_a_judging_that_fails_leaves_the_try_for_another(trying):
    faults = [TransientError("killed")]

    def before(_):
        if faults:
            raise faults.pop()

    tries, book = trying(before)
    with pytest.raises(NotJudged, match="try 2 was not judged: killed"):
        tries.one()
    assert book.proposed(512) is not None
    one = tries.one()
    assert one is not None
    assert (one.id, one.state) == (2, "kept")


def test_a_judging_that_was_ended_by_hand_does_not_count(trying):
    def interrupted(_):
        raise KeyboardInterrupt

    tries, book = trying(interrupted)
    for _ in range(5):
        with pytest.raises(KeyboardInterrupt):
            tries.one()
    assert book.judgings(book.tries()[-1]) == []
    assert book.proposed(512) is not None


def test_a_try_whose_every_judging_was_cut_short_is_given_up(trying):
    class Killed(BaseException):
        pass

    def killed(_):
        raise Killed

    for _ in range(3):
        with pytest.raises(Killed):
            trying(killed)[0].one()
    one = trying(killed)[0].one()
    assert one is not None
    assert (one.state, one.code) == ("discarded", "not_judged")
    assert one.result.endswith("the last: it was cut short")


def test_what_an_earlier_shift_left_counts_where_it_is_judged(trying):
    tries, book = trying()
    first, _ = book.begin()
    left = book.add(
        first,
        sequence_length=512,
        parent_id=1,
        proposer="search",
        summary="a change",
        state=State.PROPOSED,
    )
    book.end(first, "the hours are over")
    tries, book = trying()
    one = tries.one()
    assert one is not None
    assert one.id == left.id
    assert book.count(first) == 0
    assert book.count(book.begin()[0]) == 1
