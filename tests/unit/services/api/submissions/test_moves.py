from uuid import UUID

import pytest
from quasar_core.domain.submissions import IllegalMove, Status

from services.api.db.models import Round, Submission
from services.api.rounds import repository as rounds
from services.api.submissions import repository
from services.api.submissions.moves import carry_over, enter, move
from tests.support.judged import Worker, a_source, judge, play


@pytest.fixture
def submission_id(sqlite_world):
    sqlite_world.register("a")
    return sqlite_world.accepted("a")


def test_a_move_that_is_not_in_the_table_raises_and_changes_nothing(
    sqlite_world, submission_id
):
    world = sqlite_world
    with world.database.write() as session:
        row = repository.locked(session, submission_id)
        assert row is not None
        with pytest.raises(IllegalMove):
            move(session, row, Status.SCORED, actor="test", now=world.clock())
    assert world.status(submission_id) == "queued"


def test_each_step_is_a_row_of_the_log_with_its_evidence(
    sqlite_world, submission_id
):
    world = sqlite_world
    with world.database.write() as session:
        row = repository.locked(session, submission_id)
        assert row is not None
        move(
            session,
            row,
            Status.REJECTED,
            actor="worker:w",
            now=world.clock(),
            evidence={"code": "time_limit"},
        )
    with world.database.read() as session:
        rows = repository.history(session, submission_id, 0)
    assert [
        (row.actor, row.from_status, row.to_status, row.evidence)
        for row in rows[1:]
    ] == [
        ("worker:w", "queued", "benchmarking", {"implied_by": "rejected"}),
        ("worker:w", "benchmarking", "rejected", {"code": "time_limit"}),
    ]


def test_a_score_changes_the_boards(sqlite_world):
    world = sqlite_world
    world.register("b")
    before = world.client.get("/leaderboard").headers["etag"]
    play(world, "b")
    assert world.client.get("/leaderboard").headers["etag"] != before


def standings(world, number=1):
    answer = world.client.get(f"/rounds/{number}/standings")
    rows = answer.json()["rows"]
    told = {row["hotkey"]: row["unpaid_reason"] for row in rows}
    return answer.headers["etag"], told


def taken_out(world, submission_id, *statuses):
    with world.database.write() as session:
        row = repository.locked(session, submission_id)
        assert row is not None
        for status in statuses:
            move(session, row, status, actor="admin:a", now=world.clock())


def copied(world):
    """An author's submission, and the hotkey that has copied it."""
    world.register("author")
    copier = world.register("copier")
    original = play(world, "author", text="x = 7\n")
    world.blocks(1)
    play(world, "copier", text="x = 7\n")
    return original, copier


def test_who_was_first_is_known_once_his_source_is(sqlite_world):
    world = sqlite_world
    world.register("author")
    copier = world.register("copier")
    original = world.accepted("author")
    job, worker = world.take(), Worker(world.clock)
    world.blocks(1)
    play(world, "copier", text="x = 7\n")
    before, told = standings(world)
    assert told == {copier: None}
    world.record(worker.started(job), worker.fetched(job, a_source("x = 7\n")))
    after, told = standings(world)
    assert told == {copier: "not_the_original"}
    assert after != before
    world.record(worker.rejected(job))
    assert world.status(original) == "rejected"
    assert standings(world)[1] == told


@pytest.mark.parametrize("by_way_of", [(), (Status.QUARANTINED,)])
def test_an_original_that_is_invalid_hands_its_work_on(
    sqlite_world, by_way_of
):
    world = sqlite_world
    original, copier = copied(world)
    taken_out(world, original, *by_way_of)
    before, told = standings(world)
    assert told[copier] is not None
    taken_out(world, original, Status.INVALIDATED)
    after, told = standings(world)
    assert told == {copier: None}
    assert after != before


def test_an_original_of_another_round_decides_in_this_one(sqlite_world):
    world = sqlite_world
    author, copier = world.register("author"), world.register("copier")
    original = play(world, "author", text="x = 7\n")
    world.blocks(14_400)
    world.turn()
    world.turn()
    assert standings(world)[1] == {author: None}
    (again,) = world.client.get("/submissions?round=2").json()["submissions"]
    judge(world, UUID(again["submission_id"]), 1.0, a_source("x = 7\n"))
    play(world, "copier", text="x = 7\n")
    taken_out(world, UUID(again["submission_id"]), Status.INVALIDATED)
    before, told = standings(world, 2)
    assert told == {copier: "not_the_original"}
    taken_out(world, original, Status.INVALIDATED)
    after, told = standings(world, 2)
    assert told == {copier: None}
    assert after != before


def test_who_is_carried_into_another_league_leaves_one_and_is_first_in_it(
    sqlite_world,
):
    world = sqlite_world
    world.register("author")
    original, copier = world.accepted("author"), world.register("copier")
    job, worker = world.take(), Worker(world.clock)
    world.record(worker.started(job), worker.fetched(job, a_source("x = 7\n")))
    world.blocks(1)
    play(world, "copier", text="x = 7\n")
    before, told = standings(world)
    assert told == {copier: "not_the_original"}
    with world.database.write() as session:
        row = repository.by_id(session, original)
        current = rounds.open_round(session)
        assert row is not None
        assert current is not None
        rules = {**current.settings, "league_unit": 1_000}
        coarser = Round(number=1, settings=rules)
        carry_over(session, row, coarser, actor="test", now=world.clock())
    after, told = standings(world)
    assert told == {copier: None}
    assert after != before


def test_no_life_begins_in_its_middle(sqlite_world):
    world = sqlite_world
    with (
        pytest.raises(ValueError, match="no life begins as scored"),
        world.database.write() as session,
    ):
        enter(
            session,
            Submission(status=Status.SCORED),
            actor="test",
            now=world.clock(),
        )


def test_who_is_carried_over_plays_in_that_rounds_leagues(
    sqlite_world, submission_id
):
    world = sqlite_world
    with world.database.write() as session:
        row = repository.locked(session, submission_id)
        current = rounds.open_round(session)
        assert row is not None
        assert current is not None
        row.tokens_per_sec = 100.0
        finer = Round(
            number=1, settings={**current.settings, "league_unit": 100}
        )
        carry_over(session, row, finer, actor="test", now=world.clock())
        assert (row.league, row.weighted_score) == ("1M", 300.0)
        coarser = Round(
            number=1, settings={**current.settings, "league_unit": 5_000}
        )
        carry_over(session, row, coarser, actor="test", now=world.clock())
        assert (row.league, row.multiplier) == ("1M", 3.0)
