"""The logbook as proposers, people and machines read it."""

import pytest

from services.miner_agent.agent.logbook import Logbook
from services.miner_agent.agent.tables import State
from services.miner_agent.agent.telling import (
    as_dict,
    as_lines,
    situation_of,
)
from services.miner_agent.proposers.protocol import Tried


@pytest.fixture
def book():
    book = Logbook(None)
    shift, _ = book.begin()
    common = {"sequence_length": 512, "proposer": "search"}
    start = book.add(
        shift,
        **common,
        is_start=True,
        summary="the fork as it was",
        state=State.OVERTAKEN,
        result="right",
        files={"a.py": "A = 1\n"},
        tokens_per_sec=1_000.0,
        speedup=0.5,
    )
    book.add(
        shift,
        **common,
        parent_id=start.id,
        summary="a.py:A 1 -> 2",
        state=State.DECIDED,
        result="1.50 to 1.70 x the best one's speed",
        files={"a.py": "A = 2\n"},
        choices={"a.py:A": 2},
        tokens_per_sec=1_600.0,
        speedup=0.8,
        commit_hash="c" * 40,
        submission_id="01a2",
        status="scored",
    )
    book.add(
        shift,
        **common,
        summary="\x1b[2Ja.py:A 2 -> 4",
        state=State.DISCARDED,
        code="output_mismatch",
        result="output_mismatch at smoke",
    )
    book.add(shift, **common, summary="a.py:A 2 -> 1", state=State.PROPOSED)
    book.worked(shift, 600.0)
    yield book
    book.close()


def everything(book):
    return book.shifts(), book.tries(), book.spent()


def test_a_proposer_is_told_what_was_judged_and_how_fast_the_best_is(book):
    best = book.best(512)
    told = situation_of(book, best, book.files(best), "rules")
    assert told.files == {"a.py": "A = 2\n"}
    assert told.rules == "rules"
    assert told.tried == (
        Tried(
            "a.py:A 1 -> 2",
            True,
            "1.50 to 1.70 x the best one's speed",
            {"a.py:A": 2},
        ),
        Tried("\x1b[2Ja.py:A 2 -> 4", False, "output_mismatch at smoke"),
    )
    assert "1,600 tokens/s for 512 tokens, 0.80 x" in told.standing


def test_of_a_kernel_that_is_not_right_the_fault_is_told(book):
    start = book.put(
        book.tries()[0], tokens_per_sec=None, result="output_mismatch"
    )
    told = situation_of(book, start, {}, "")
    assert told.standing == "The best kernel: output_mismatch."


def test_people_read_a_line_for_each_try_and_why(book):
    lines = as_lines(*everything(book))
    assert "decided" in lines[2]
    assert "1,600 tokens/s  a.py:A 1 -> 2" in lines[2]
    assert lines[4].strip() == f"commit {'c' * 12}, submission 01a2: scored"
    assert "\\x1b[2J" in lines[5]
    assert lines[8].strip() == "not judged yet"
    assert lines[-2] == "3 tried, 1 kept, 1 handed in; 10 min worked, 0 spent"
    assert lines[-1] == "last shift: it is at work, or was cut short"


def test_machines_read_the_same(book):
    told = as_dict(*everything(book))
    assert [one["state"] for one in told["tries"]] == [
        "overtaken",
        "decided",
        "discarded",
        "proposed",
    ]
    assert told["tries"][1]["changed"] == ["a.py"]
    assert "files" not in told["tries"][1]
    assert told["shifts"][0]["worked_seconds"] == 600.0


def test_an_empty_one_says_how_it_is_filled():
    assert "quasar miner run" in as_lines([], [], 0.0)[0]
