"""The desk meets an API that forgets, refuses and finds fault.

Real git, wallet and API, and kills at each point, are in
tests/integration/miner_agent.
"""

from __future__ import annotations

from uuid import UUID

import pytest
from quasar_core.client.answers import ProblemAnswer
from quasar_core.contracts.http import CommitmentAccepted, Verdict
from quasar_core.contracts.reports import Score
from quasar_core.errors import ProblemCode, Stage

from services.miner_agent import sealing
from services.miner_agent.agent.desk import MOST_SENDINGS, Desk
from services.miner_agent.agent.logbook import Logbook
from services.miner_agent.agent.tables import State
from services.miner_agent.journal import Journal, Step
from services.miner_agent.sealing import Tools
from tests.support.agents import wrong
from tests.support.api_server import round_view, submission_view
from tests.support.wallets import address
from tests.unit.services.miner_agent.test_journal import a_page
from tests.unit.services.miner_agent.test_sealing import (
    ACCEPTED,
    Scripted,
    found,
)

ID = UUID(int=7)
HOTKEY = address("miner")
COMMITMENT = "d" * 64
SCORE = Score(
    tokens_per_sec=2_000.0,
    tokens_per_sec_low=1_900.0,
    tokens_per_sec_high=2_100.0,
    speedup_vs_baseline=0.5,
)


@pytest.fixture
def book():
    book = Logbook(None)
    yield book
    book.close()


@pytest.fixture
def desk(book, tmp_path):
    """A desk at a scripted API, and what it said."""

    def made(**answers):
        said = []
        tools = Tools(
            Scripted(**answers),  # type: ignore[arg-type]
            Journal(tmp_path / "seals"),
            tmp_path,
            lambda _: None,
        )

        def say(event, sentence, **fields):
            said.append(event)

        return Desk(tools, book, say, HOTKEY, "file:///f", None, 512), said

    return made


def flying(book, state, **fields):
    shift, _ = book.begin()
    return book.add(
        shift,
        sequence_length=512,
        proposer="search",
        summary="a change",
        result="right",
        commit_hash="c" * 40,
        commitment_hash=COMMITMENT,
        submission_id=str(ID),
        state=state,
        sent=1,
        **fields,
    )


def sealed(tmp_path, **changes):
    page = {
        "commitment_hash": COMMITMENT,
        "step": Step.COMMITTED,
        "remote": None,
        "submission_id": ID,
        "reveal_from_block": 10,
        "reveal_until_block": 30,
    }
    return Journal(tmp_path / "seals").put(a_page(**{**page, **changes}))


def at(block):
    return round_view(current_block=block)


def test_nothing_is_done_before_its_block(book, desk, tmp_path):
    one = flying(book, State.SEALED)
    sealed(tmp_path)
    early, said = desk(current_round=[at(9), at(None)])
    assert [early.step(), early.step()] == [False, False]
    assert book.put(one).state == State.SEALED
    assert said == []


def test_what_is_due_is_revealed(book, desk, tmp_path):
    one = flying(book, State.SEALED)
    sealed(tmp_path)
    due, said = desk(
        current_round=[at(10), at(10)],
        submission=[submission_view(ID, status="committed")],
        reveal=[ACCEPTED],
    )
    assert due.step()
    assert book.put(one).state == State.REVEALED
    assert said == ["revealed"]


@pytest.mark.parametrize("step", [Step.LOST, None])
def test_a_seal_that_is_lost_is_made_anew(book, desk, tmp_path, step):
    one = flying(book, State.SEALED)
    if step is not None:
        sealed(tmp_path, step=step)
    assert desk()[0].step()
    assert book.put(one).state == State.COMMITTED
    assert [each.id for each in book.waiting(512)] == [one.id]


def test_a_window_that_was_missed_is_met_with_a_new_seal(book, desk, tmp_path):
    one = flying(book, State.SEALED)
    sealed(tmp_path, step=Step.PUSHED)
    late = ProblemAnswer(410, ProblemCode.REVEAL_TOO_LATE, "too late")
    missed, said = desk(current_round=[at(40)], reveal=[late])
    assert missed.step()
    assert book.put(one).state == State.COMMITTED
    assert said == ["lost"]


@pytest.mark.parametrize("status", ["expired", "withdrawn"])
def test_a_commitment_that_ended_before_it_was_noted_is_made_anew(
    book, desk, tmp_path, status
):
    """Killed between the post and its note, and away for too long."""
    one = flying(book, State.COMMITTED, is_start=False)
    journal = Journal(tmp_path / "seals")
    gone = sealed(
        tmp_path,
        step=Step.SEALED,
        hotkey=HOTKEY,
        commit_hash=one.commit_hash,
        target_sequence_length=512,
        submission_id=None,
    )
    answers = found(status)
    accepted = CommitmentAccepted(
        submission_id=UUID(int=8),
        status="committed",
        round_number=2,
        commit_block=35,
        reveal_from_block=40,
        reveal_until_block=60,
        quota=ACCEPTED.quota,
    )
    answers["commit"].append(accepted)
    again, said = desk(current_round=[at(40), at(40)], **answers)

    assert again.step()
    assert journal.pages()[0].step is Step.LOST
    assert book.put(one).state == State.COMMITTED
    assert again.step()
    assert book.put(one).state == State.SEALED
    assert book.put(one).submission_id == str(UUID(int=8))
    assert said == ["lost", "sealed"]
    assert gone.commitment_hash != book.put(one).commitment_hash


@pytest.mark.parametrize(
    ("block", "answers"),
    [
        (30, {}),
        (10, {"submission": [submission_view(ID, status="withdrawn")]}),
    ],
)
def test_what_can_no_longer_be_revealed_is_not_pushed(
    book, desk, tmp_path, monkeypatch, block, answers
):
    pushed = []
    monkeypatch.setattr(sealing, "push", lambda *_: pushed.append(True))
    one = flying(book, State.SEALED)
    sealed(tmp_path, remote="origin")
    late, said = desk(current_round=[at(block)] * 2, **answers)
    assert late.step()
    assert book.put(one).state == State.COMMITTED
    assert (said, pushed) == (["lost"], [])


def test_a_seal_made_by_hand_that_has_ended_makes_room(book, desk, tmp_path):
    one = flying(book, State.COMMITTED)
    by_hand = sealed(
        tmp_path,
        hotkey=HOTKEY,
        commit_hash="a" * 40,
        remote="origin",
        target_sequence_length=512,
    )
    passed, said = desk(current_round=[at(40)] * 3)
    assert passed.step()
    (kept,) = Journal(tmp_path / "seals").pages()
    assert (kept.commit_hash, kept.step) == (by_hand.commit_hash, Step.LOST)
    waiting = book.waiting(512)
    assert [(each.id, each.sent) for each in waiting] == [(one.id, one.sent)]
    assert said == ["passed"]


def test_what_may_be_otherwise_later_is_the_callers(book, desk, tmp_path):
    one = flying(book, State.SEALED)
    sealed(tmp_path, step=Step.PUSHED)
    unknown = ProblemAnswer(403, ProblemCode.NOT_REGISTERED, "who?")
    with pytest.raises(ProblemAnswer):
        desk(current_round=[at(20)] * 2, reveal=[unknown])[0].step()
    assert book.put(one).state == State.SEALED


def test_who_is_refused_until_it_is_too_late_waits_no_longer(
    book, desk, tmp_path
):
    one = flying(book, State.SEALED)
    sealed(tmp_path, step=Step.PUSHED)
    unknown = ProblemAnswer(403, ProblemCode.NOT_REGISTERED, "who?")
    refused, said = desk(current_round=[at(31)] * 2, reveal=[unknown])
    assert refused.step()
    assert book.put(one).state == State.COMMITTED
    assert Journal(tmp_path / "seals").pages()[0].step is Step.LOST
    assert said == ["lost"]


@pytest.mark.parametrize(
    ("view", "state", "code", "event"),
    [
        ({"status": "benchmarking"}, State.REVEALED, None, None),
        (
            {"status": "scored", "score": SCORE},
            State.DECIDED,
            None,
            "decided",
        ),
        (
            {
                "status": "rejected",
                "verdict": Verdict(
                    rejection=wrong(Stage.TIMED), sentence="It is wrong."
                ),
            },
            State.DECIDED,
            "output_mismatch",
            "decided",
        ),
        ({"status": "invalidated"}, State.DECIDED, "invalidated", "decided"),
        ({"status": "quarantined"}, State.DECIDED, None, "decided"),
        ({"status": "infra_failed"}, State.COMMITTED, None, "lost"),
    ],
)
def test_it_is_watched_until_the_platform_has_spoken(
    book, desk, view, state, code, event
):
    one = flying(book, State.REVEALED)
    watching, said = desk(submission=[submission_view(ID, **view)])
    assert watching.step() is (event is not None)
    now = book.put(one)
    assert (now.state, now.code) == (state, code)
    assert said == ([event] if event else [])


def test_what_fails_for_no_reason_of_its_own_is_left_at_last(book, desk):
    one = flying(book, State.REVEALED)
    book.put(one, sent=MOST_SENDINGS)
    view = submission_view(ID, status="infra_failed")
    assert desk(submission=[view])[0].step()
    now = book.put(one)
    assert (now.state, now.status) == (State.DECIDED, "infra_failed")
    assert now.ended_at is not None


def test_an_empty_desk_has_nothing_to_do(book, desk):
    empty, _ = desk()
    assert empty.is_empty()
    assert not empty.step()
    one = flying(book, State.COMMITTED)
    assert not empty.is_empty()
    book.put(one, state=State.REVEALED)
    assert not empty.is_empty()
