"""What a commitment is told and refused, beyond what HTTP tests show."""

import pytest
from quasar_core.errors import Problem, ProblemCode

from services.api.commitments.service import TooLate, expire_overdue
from tests.support.sealed import Seal


def test_too_late_says_until_when_and_what_to_do():
    problem = TooLate(last_block=35, height=40).problem()
    assert (problem.status, problem.code) == (410, ProblemCode.REVEAL_TOO_LATE)
    assert "until block 35" in problem.detail
    assert "at 40" in problem.detail
    assert isinstance(problem, Problem)


@pytest.mark.parametrize(
    ("length", "code"),
    [(499, "below_smallest_league"), (10_001, "above_largest_length")],
)
def test_a_sealed_length_that_no_round_judges_comes_out_at_the_reveal(
    sqlite_world, length, code
):
    world = sqlite_world
    world.register("alice")
    seal = Seal("alice", fields={"target_sequence_length": length})
    submission_id = seal.committed(world)
    world.blocks(100)
    answer = seal.reveal(world)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert world.status(submission_id) == "committed"


def test_nothing_expires_before_its_last_block_has_passed(sqlite_world):
    world = sqlite_world
    world.register("alice")
    submission_id = Seal("alice").committed(world)
    assert expire_overdue(world.database, 300, world.clock()) == 0
    assert expire_overdue(world.database, 301, world.clock()) == 1
    assert expire_overdue(world.database, 301, world.clock()) == 0
    assert world.status(submission_id) == "expired"
