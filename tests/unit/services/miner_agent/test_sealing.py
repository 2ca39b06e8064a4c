"""Sealing meets an API that fails, forgets and refuses."""

from uuid import UUID

import pytest
from quasar_core.client.answers import ApiUnavailable, ProblemAnswer
from quasar_core.contracts.http import (
    CommitmentView,
    QuotaLeft,
    SubmissionAccepted,
    SubmissionPage,
    SubmissionSummary,
)
from quasar_core.errors import ProblemCode

from services.miner_agent import sealing
from services.miner_agent.journal import Journal, Step
from services.miner_agent.sealing import SealEnded, Tools, carry_on
from services.miner_agent.taking_part import NotSent
from tests.support.api_server import NOW, round_view, submission_view
from tests.support.wallets import address
from tests.unit.services.miner_agent.test_journal import a_page

ID = UUID(int=7)
ACCEPTED = SubmissionAccepted(
    submission_id=ID,
    status="queued",
    round_number=2,
    league="100k",
    position=1,
    eta_seconds=None,
    quota=QuotaLeft(
        waiting_in_league=1,
        waiting_in_league_limit=1,
        judged_this_round=1,
        judged_this_round_limit=12,
    ),
)


def problem(status, code, **more):
    return ProblemAnswer(status, code, f"{code.value} it is", **more)


class Scripted:
    """A client whose answers are given one by one; faults are raised."""

    def __init__(self, **answers):
        self.answers = {name: list(them) for name, them in answers.items()}

    def __getattr__(self, name):
        def call(*_arguments, **_filters):
            answer = self.answers[name].pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


def at(block):
    return round_view(current_block=block)


@pytest.fixture
def start(tmp_path):
    """Carry a page on against a script; what came of it, and what was told."""

    def carried(page, **answers):
        told, pauses = [], []
        client = Scripted(**answers)
        journal = Journal(tmp_path)
        tools = Tools(client, journal, tmp_path, told.append, pauses.append)  # type: ignore[arg-type]
        try:
            result = carry_on(tools, journal.put(page))
        except (ProblemAnswer, ApiUnavailable, NotSent) as fault:
            result = fault
        assert not any(client.answers.values())
        (kept,) = journal.pages()
        return result, kept.step, told, pauses

    return carried


def committed(**changes):
    fields = {
        "step": Step.COMMITTED,
        "remote": None,
        "submission_id": ID,
        "reveal_from_block": 10,
        "reveal_until_block": 30,
    }
    return a_page(**{**fields, **changes})


def test_it_waits_for_the_block_through_whatever_passes(start):
    result, step, told, pauses = start(
        committed(),
        current_round=[
            at(8),
            at(8),
            ApiUnavailable("gone"),
            at(None),
            problem(503, ProblemCode.UNAVAILABLE, retry_after_seconds=5.0),
            at(10),
        ],
        submission=[sealed()],
        reveal=[
            problem(425, ProblemCode.REVEAL_TOO_EARLY),
            problem(429, ProblemCode.QUOTA_EXCEEDED),
            ACCEPTED,
        ],
    )
    assert (result, step) == (ACCEPTED, Step.REVEALED)
    assert told == [
        "block 8: 2 to go until block 10",
        "gone; trying again",
        "unavailable it is; trying again",
        "quota_exceeded it is; trying again",
    ]
    assert 5.0 in pauses


@pytest.mark.parametrize(
    ("status", "code", "step"),
    [
        (410, ProblemCode.REVEAL_TOO_LATE, Step.LOST),
        (409, ProblemCode.SALT_REUSED, Step.LOST),
        (409, ProblemCode.CONFLICT, Step.LOST),
        (400, ProblemCode.COMMITMENT_MISMATCH, Step.LOST),
        (404, ProblemCode.NOT_FOUND, Step.PUSHED),
        (403, ProblemCode.NOT_REGISTERED, Step.PUSHED),
    ],
)
def test_a_refusal_is_told_and_noted_where_it_is_for_good(
    start, status, code, step
):
    fault = problem(status, code)
    page = committed(step=Step.PUSHED)
    assert start(page, reveal=[fault])[:2] == (fault, step)


def sealed(status="committed", **changes):
    return submission_view(
        ID,
        status=status,
        commitment=CommitmentView(
            commitment_hash="d" * 64,
            reveal_from_block=10,
            reveal_until_block=30,
            salt=None,
        ),
        **changes,
    )


def found(status, **changes):
    row = SubmissionSummary(
        submission_id=ID,
        hotkey=address("miner"),
        status=status,
        stage=None,
        code=None,
        league=None,
        target_sequence_length=None,
        round_number=2,
        tokens_per_sec=None,
        weighted_score=None,
        created_at=NOW,
    )
    view = sealed(status, **changes)
    return {
        "commit": [problem(409, ProblemCode.COMMITMENT_REPEATED)],
        "submissions": [SubmissionPage(submissions=(row,), next_cursor=None)],
        "submission": [view],
    }


def test_what_had_arrived_before_a_kill_is_found_again(start):
    answers = found("committed")
    answers["submission"] *= 2
    result, step, told, _ = start(
        a_page(remote=None),
        **answers,
        current_round=[at(10)],
        reveal=[ACCEPTED],
    )
    assert (result, step) == (ACCEPTED, Step.REVEALED)
    assert told[0].startswith(f"sealed as {ID}; it opens at block 10.")


@pytest.mark.parametrize("status", ["expired", "withdrawn"])
def test_what_has_ended_meanwhile_is_given_up(start, status):
    result, step, _, _ = start(a_page(remote=None), **found(status))
    assert isinstance(result, NotSent)
    assert step is Step.LOST


def test_an_api_that_lists_nothing_it_has_is_not_believed(start):
    answers = found("committed")
    answers["submissions"] = [SubmissionPage(submissions=(), next_cursor=None)]
    del answers["submission"]
    result, step, _, _ = start(a_page(remote=None), **answers)
    assert isinstance(result, ApiUnavailable)
    assert step is Step.SEALED


def test_a_commitment_that_is_refused_stays_as_it_is(start):
    fault = problem(429, ProblemCode.QUOTA_EXCEEDED)
    assert start(a_page(), commit=[fault])[:2] == (fault, Step.SEALED)


@pytest.mark.parametrize(
    ("block", "answers"),
    [
        (30, {}),
        (500, {}),
        (10, {"submission": [sealed("withdrawn")]}),
        (10, {"submission": [sealed("expired")]}),
    ],
)
def test_nothing_is_pushed_that_cannot_be_revealed(
    start, monkeypatch, block, answers
):
    pushed = []
    monkeypatch.setattr(sealing, "push", lambda *_: pushed.append(True))
    page = committed(remote="origin")
    result, step, _, _ = start(page, current_round=[at(block)], **answers)
    assert isinstance(result, SealEnded)
    assert (step, pushed) == (Step.LOST, [])


def test_it_is_asked_again_whether_it_may_be_revealed(start, monkeypatch):
    monkeypatch.setattr(sealing, "push", lambda *_: None)
    result, step, told, _ = start(
        committed(remote="origin"),
        current_round=[at(29), at(29)],
        submission=[ApiUnavailable("gone"), sealed()],
        reveal=[ACCEPTED],
    )
    assert (result, step) == (ACCEPTED, Step.REVEALED)
    assert told[0] == "gone; trying again"
