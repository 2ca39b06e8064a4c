"""The life of a submission: the table of moves and nothing beside it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quasar_core.domain.submissions import (
    ADMINISTRATOR_MOVES,
    INITIAL,
    MAX_ATTEMPTS,
    MOVES,
    PENDING,
    REPEATABLE,
    TERMINAL,
    WAITING,
    IllegalMove,
    Status,
    after_lost_attempt,
    move,
    moves_to,
)

S = Status
statuses = st.sampled_from(Status)

PUBLISHED = {
    (S.COMMITTED, S.QUEUED),
    (S.COMMITTED, S.EXPIRED),
    (S.COMMITTED, S.WITHDRAWN),
    (S.QUEUED, S.BENCHMARKING),
    (S.QUEUED, S.WITHDRAWN),
    (S.QUEUED, S.INFRA_FAILED),
    (S.BENCHMARKING, S.QUEUED),
    (S.BENCHMARKING, S.VERIFYING),
    (S.BENCHMARKING, S.REJECTED),
    (S.BENCHMARKING, S.INFRA_FAILED),
    (S.VERIFYING, S.VERIFYING),
    (S.VERIFYING, S.SCORED),
    (S.VERIFYING, S.REJECTED),
    (S.VERIFYING, S.QUARANTINED),
    (S.VERIFYING, S.INFRA_FAILED),
    (S.SCORED, S.QUARANTINED),
    (S.SCORED, S.INVALIDATED),
    (S.QUARANTINED, S.SCORED),
    (S.QUARANTINED, S.INVALIDATED),
    (S.INFRA_FAILED, S.QUEUED),
    (S.REJECTED, S.QUEUED),
}


def test_the_table_is_the_published_one():
    assert PUBLISHED == MOVES


@given(statuses, statuses)
def test_no_move_outside_the_table_is_allowed(start, end):
    if (start, end) in PUBLISHED:
        move(start, end)
    else:
        with pytest.raises(IllegalMove):
            move(start, end)


@given(statuses, statuses)
def test_an_implied_start_passes_only_through_moves_of_the_table(start, end):
    try:
        steps = moves_to(start, end)
    except IllegalMove:
        assert (start, end) not in MOVES
        return
    assert steps[-1] == end
    for before, after in zip((start, *steps), steps, strict=False):
        move(before, after)


def test_a_completion_before_its_start_implies_the_start():
    assert moves_to(S.QUEUED, S.VERIFYING) == (S.BENCHMARKING, S.VERIFYING)
    assert moves_to(S.QUEUED, S.REJECTED) == (S.BENCHMARKING, S.REJECTED)
    assert moves_to(S.VERIFYING, S.SCORED) == (S.SCORED,)


@pytest.mark.parametrize(
    ("start", "end"), [(S.QUEUED, S.SCORED), (S.REJECTED, S.SCORED)]
)
def test_no_implied_start_makes_a_score_of_nothing(start, end):
    with pytest.raises(IllegalMove):
        moves_to(start, end)


def test_what_rests_is_moved_by_administrators_alone():
    assert {start for start, _ in ADMINISTRATOR_MOVES} <= TERMINAL
    assert {
        (start, end) for start, end in MOVES if start in TERMINAL
    } == ADMINISTRATOR_MOVES


def test_the_sets_divide_the_statuses():
    assert set(Status) == WAITING | PENDING | TERMINAL
    assert not TERMINAL & (WAITING | PENDING)
    assert {S.COMMITTED, S.QUEUED} == INITIAL
    assert REPEATABLE <= TERMINAL


@given(st.sampled_from(sorted(PENDING)), st.integers(1, 10))
def test_a_lost_attempt_moves_within_the_table_or_stays(status, attempts):
    after = after_lost_attempt(status, attempts)
    assert after == status or (status, after) in MOVES
    assert (after is S.INFRA_FAILED) == (attempts >= MAX_ATTEMPTS)


def test_two_lost_attempts_are_free_and_the_third_is_the_last():
    assert after_lost_attempt(S.BENCHMARKING, 2) is S.QUEUED
    assert after_lost_attempt(S.BENCHMARKING, 3) is S.INFRA_FAILED
    assert after_lost_attempt(S.VERIFYING, 2) is S.VERIFYING
    assert after_lost_attempt(S.QUEUED, 1) is S.QUEUED


@given(st.sampled_from(sorted(set(Status) - PENDING)))
def test_what_has_no_attempt_cannot_lose_one(status):
    with pytest.raises(IllegalMove, match="no attempts"):
        after_lost_attempt(status, 1)
