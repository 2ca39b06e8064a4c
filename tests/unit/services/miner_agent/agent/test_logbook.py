"""The logbook is there again after a kill, and says what comes next."""

import sqlite3

import pytest

from services.miner_agent.agent.logbook import FILE, Logbook, LogbookFault
from services.miner_agent.agent.tables import State

LENGTH = 512


@pytest.fixture
def book(tmp_path):
    with_file = Logbook(tmp_path / "agent")
    yield with_file
    with_file.close()


def a_try(book, shift, state=State.PROPOSED, **fields):
    fields = {
        "sequence_length": LENGTH,
        "proposer": "search",
        "summary": "a change",
        "state": state,
        **fields,
    }
    return book.add(shift, **fields)


def test_a_shift_that_was_cut_short_is_gone_on_with(book, tmp_path):
    shift, was_cut = book.begin()
    book.worked(shift, 1.5)
    book.worked(shift, 2.5)
    assert not was_cut
    again = Logbook(tmp_path / "agent")
    same, was_cut = again.begin()
    assert (same.id, same.worked_seconds, was_cut) == (shift.id, 4.0, True)
    again.end(same, "done")
    other, was_cut = again.begin()
    assert (other.id, was_cut) == (shift.id + 1, False)
    assert [one.ended_because for one in again.shifts()] == ["done", None]
    again.close()


def test_it_is_for_its_user_alone(book, tmp_path):
    assert (tmp_path / "agent").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "agent" / FILE).exists()


def test_files_are_those_of_the_parents_with_its_own_on_top(book):
    shift, _ = book.begin()
    start = a_try(
        book, shift, State.OVERTAKEN, is_start=True, files={"a": "1", "b": "2"}
    )
    one = a_try(book, shift, parent_id=start.id, files={"b": "3"})
    two = a_try(book, shift, parent_id=one.id, files={"a": "4"})
    assert book.files(start) == {"a": "1", "b": "2"}
    assert book.files(two) == {"a": "4", "b": "3"}


def test_the_best_is_the_newest_that_was_kept_and_not_found_wrong(book):
    shift, _ = book.begin()
    assert book.best(LENGTH) is None
    start = a_try(book, shift, State.OVERTAKEN, is_start=True)
    kept = a_try(book, shift, State.KEPT)
    a_try(book, shift, State.DISCARDED)
    a_try(book, shift, State.PROPOSED)
    a_try(book, shift, State.KEPT, sequence_length=2 * LENGTH)
    assert (book.best(LENGTH) or start).id == kept.id
    book.put(kept, state=State.DECIDED, code="output_mismatch")
    assert (book.best(LENGTH) or kept).id == start.id


def test_it_says_what_was_left_undone(book):
    shift, _ = book.begin()
    a_try(book, shift, State.COMMITTED, is_start=True)
    first, second = (a_try(book, shift, State.COMMITTED) for _ in range(2))
    cut = a_try(book, shift)
    assert [one.id for one in book.waiting(LENGTH)] == [second.id, first.id]
    assert (book.proposed(LENGTH) or first).id == cut.id
    assert book.proposed(LENGTH + 1) is None
    assert book.to_commit() is None
    assert book.in_flight() is None
    book.put(second, state=State.SEALED)
    book.put(cut, state=State.KEPT)
    assert (book.in_flight() or first).id == second.id
    assert (book.to_commit() or first).id == cut.id
    assert book.count(shift) == 3
    assert len(book.tries()) == len(book.tries(LENGTH)) == 4


def test_judgings_that_were_begun_are_there_after_a_kill(book, tmp_path):
    shift, _ = book.begin()
    one, other = a_try(book, shift), a_try(book, shift)
    book.failed(book.begin_judging(one), "the referee was killed")
    book.begin_judging(one)
    book.forget(book.begin_judging(one))
    book.begin_judging(other)
    again = Logbook(tmp_path / "agent")
    assert [each.fault for each in again.judgings(one)] == [
        "the referee was killed",
        None,
    ]
    again.close()


def test_a_proposal_counts_once_it_came_to_its_end(book):
    shift, _ = book.begin()
    one = a_try(book, shift)
    assert book.count(shift) == 0
    book.put(one, state=State.DISCARDED)
    assert book.count(shift) == 1


def test_a_logbook_of_before_there_were_judgings_is_gone_on_with(
    book, tmp_path
):
    shift, _ = book.begin()
    one = a_try(book, shift)
    with sqlite3.connect(tmp_path / "agent" / FILE) as other:
        other.execute("DROP TABLE judgings")
    other.close()
    again = Logbook(tmp_path / "agent")
    again.begin_judging(one)
    assert len(again.judgings(one)) == 1
    again.close()


def test_a_call_that_nobody_heard_of_counts_at_its_most(book):
    shift, _ = book.begin()
    assert book.spent(shift) == 0.0
    book.reserve(shift, 2.0)
    book.settle(book.reserve(shift, 3.0), 0.5)
    assert book.spent(shift) == 2.5
    book.end(shift, "done")
    later, _ = book.begin()
    assert (book.spent(later), book.spent()) == (0.0, 2.5)


def test_what_is_no_logbook_is_told(tmp_path):
    (tmp_path / FILE).write_bytes(b"x" * 4_096)
    with pytest.raises(LogbookFault, match="move it away"):
        Logbook(tmp_path)


def test_a_table_that_is_gone_is_told(book, tmp_path):
    shift, _ = book.begin()
    with sqlite3.connect(tmp_path / "agent" / FILE) as other:
        other.execute("DROP TABLE tries")
    other.close()
    with pytest.raises(LogbookFault, match="cannot be used"):
        a_try(book, shift)


def test_without_a_folder_it_is_in_memory_alone():
    book = Logbook(None)
    shift, _ = book.begin()
    a_try(book, shift)
    assert len(book.tries()) == 1
    book.close()
