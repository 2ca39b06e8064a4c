"""Challenges, from the ladder to a worker and back, on both engines."""

# pylint: disable=redefined-outer-name,protected-access

from types import SimpleNamespace

import pytest
from quasar_core.contracts.events import ChallengeRequested
from quasar_core.errors import Stage
from sqlalchemy import select

from services.api.db.models import Attempt, Challenge
from services.api.db.records import LogRow
from tests.support.api import make_world
from tests.support.judged import Worker, a_manifest, a_source, play
from tests.support.wallets import address

ROUND = {
    "round_blocks": 100,
    "evaluating_blocks": 50,
    "challenges_per_round": 16,
    "challenging_blocks": 20,
    "min_improvement": 0.1,
    "reenter_paid_places": False,
}


def worlds(url, tmp_path, **changes):
    for made in make_world(url, tmp_path, **{**ROUND, **changes}):
        made.open_round()
        yield made


@pytest.fixture
def world(database_url, tmp_path):
    yield from worlds(database_url, tmp_path)


@pytest.fixture
def quick(sqlite_url, tmp_path):
    yield from worlds(sqlite_url, tmp_path)


def contested(world, **seconds):
    """Play a round in which the later ones pass; it is being evaluated."""
    ids = {}
    for name, each in (seconds or {"slow": 1.0, "fast": 0.5}).items():
        world.register(name)
        ids[name] = play(world, name, each)
        world.blocks(1)
    world.blocks(100)
    world.turn()
    return ids


def paid(world, number=1):
    rows = world.client.get(f"/rounds/{number}/standings").json()["rows"]
    return [row["submission_id"] for row in rows if row["paid_place"]]


def status(world, number=1):
    return world.client.get(f"/rounds/{number}").json()["status"]


def rows(world):
    with world.database.read() as session:
        return session.scalars(select(Challenge).order_by(Challenge.id)).all()


def outcomes(world):
    return [row.outcome for row in rows(world)]


def shown(world, number=1, **page):
    answer = world.client.get(f"/rounds/{number}/challenges", params=page)
    assert answer.status_code == 200, answer.text
    return answer.json()


def fought(world, name):
    answer = world.client.get(f"/rounds/1/explain/{address(name)}")
    return answer.json()["challenges"]


def log_of_challenges(world):
    with world.database.read() as session:
        query = select(LogRow).where(LogRow.kind == "challenge")
        return session.scalars(query.order_by(LogRow.sequence)).all()


def test_a_passage_into_a_paid_place_is_run_once_more_before_it_counts(world):
    ids = contested(world)
    world.turn()
    assert status(world) == "evaluating"
    job = world.take()
    assert isinstance(job, ChallengeRequested)
    assert job.submission_id == ids["fast"]
    assert job.challenger.source == a_source("name = 'fast'\n")
    assert job.defender.source == a_source("name = 'slow'\n")
    assert (job.round_number, job.attempt_number) == (1, 1)
    worker = Worker(world.clock)
    world.record(worker.started(job), worker.at(job, Stage.TIMED))
    world.record(worker.passed(job, Stage.TIMED), worker.challenged(job))
    assert world.status(ids["fast"]) == "scored"
    view = world.view(ids["fast"])
    assert (view["attempts"], view["stages"]) == (2, [])
    world.turn()
    assert status(world) == "finalised"
    assert paid(world) == [str(ids["fast"]), str(ids["slow"])]
    (row,) = rows(world)
    assert (row.outcome, row.ratio_low) == ("won", pytest.approx(2.0))
    told = log_of_challenges(world)
    assert [one.to_status for one in told] == ["waiting", "running", "won"]
    assert told[1].evidence["seed_commitment"] == a_manifest().seed_commitment
    assert told[2].evidence == {
        "challenger": str(ids["fast"]),
        "defender": str(ids["slow"]),
        "ratio_low": row.ratio_low,
        "ratio_high": row.ratio_high,
        "run_id": row.report["manifest"]["run_id"],
    }


def test_a_challenge_is_shown_to_everybody_and_to_the_two(world):
    ids = contested(world)
    assert shown(world)["challenges"] == fought(world, "fast") == []
    world.turn()
    asked = shown(world)
    (waiting,) = asked["challenges"]
    assert asked["passes_above"] == pytest.approx(1.05)
    assert (waiting["outcome"], waiting["decided_at"]) == (None, None)
    assert [one["won"] for one in fought(world, "slow")] == [None]
    world.later(60)
    world.record(Worker(world.clock).challenged(world.take()))
    (row,) = rows(world)
    (told,) = shown(world)["challenges"]
    sides = [told[side] for side in ("challenger", "defender")]
    assert [side["hotkey"] for side in sides] == [
        address("fast"),
        address("slow"),
    ]
    assert [side["submission_id"] for side in sides] == [
        str(ids["fast"]),
        str(ids["slow"]),
    ]
    assert (told["outcome"], told["ratio_low"]) == ("won", row.ratio_low)
    assert told["run_id"] == row.report["manifest"]["run_id"]
    assert told["asked_at"] < told["decided_at"]
    (mine,), (his,) = fought(world, "fast"), fought(world, "slow")
    assert (mine["side"], mine["won"]) == ("challenger", True)
    assert (his["side"], his["won"]) == ("defender", False)
    assert told.items() <= mine.items()


def test_who_failed_in_a_challenge_is_named(quick):
    world = quick
    contested(world)
    world.turn()
    world.record(
        Worker(world.clock).challenged(world.take(), fault_of="challenger")
    )
    (told,) = shown(world)["challenges"]
    assert (told["fault_of"], told["code"]) == ("challenger", "runtime_error")
    assert (told["ratio_low"], told["outcome"]) == (None, "undecided")
    assert [one["won"] for one in fought(world, "slow")] == [True]


def test_challenges_come_in_pages_with_a_tag_that_every_one_changes(world):
    path = "/rounds/1/challenges"
    contested(world, a=1.0, b=0.5, c=0.25)
    tags = [world.client.get(path).headers["ETag"]]
    world.turn()
    tags.append(world.client.get(path).headers["ETag"])
    world.record(Worker(world.clock).challenged(world.take()))
    answer = world.client.get(path)
    tags.append(answer.headers["ETag"])
    assert len(set(tags)) == 3
    held = {"If-None-Match": tags[-1]}
    assert world.client.get(path, headers=held).status_code == 304
    whole = [one["challenge_id"] for one in answer.json()["challenges"]]
    assert whole == sorted(whole, reverse=True)
    first = shown(world, limit=2)
    rest = shown(world, limit=2, cursor=first["next_cursor"])
    assert [
        one["challenge_id"] for one in first["challenges"] + rest["challenges"]
    ] == whole
    assert rest["next_cursor"] is None
    assert world.client.get("/rounds/9/challenges").status_code == 404


def test_who_is_shown_to_be_no_better_is_not_paid_beside_the_one_he_copied(
    quick,
):
    world = quick
    ids = contested(world)
    world.turn()
    world.record(Worker(world.clock).challenged(world.take(), ratio=1.04))
    world.turn()
    assert outcomes(world) == ["no_better"]
    assert paid(world) == [str(ids["slow"])]
    board = world.client.get("/leaderboard?round=1").json()["rows"]
    assert [row["submission_id"] for row in board] == [
        str(ids["slow"]),
        str(ids["fast"]),
    ]


@pytest.mark.parametrize(
    ("side", "first", "outcome"),
    [
        ("challenger", "slow", "undecided"),
        ("defender", "fast", "won"),
    ],
)
def test_a_fault_in_a_challenge_is_no_rejection(quick, side, first, outcome):
    world = quick
    ids = contested(world)
    world.turn()
    world.record(Worker(world.clock).challenged(world.take(), fault_of=side))
    world.turn()
    assert outcomes(world) == [outcome]
    assert paid(world)[0] == str(ids[first])
    assert {world.status(one) for one in ids.values()} == {"scored"}
    evidence = log_of_challenges(world)[-1].evidence
    assert (evidence["fault_of"], evidence["code"]) == (side, "runtime_error")


def test_after_three_lost_attempts_there_is_no_passage(world):
    ids = contested(world)
    world.turn()
    worker = Worker(world.clock)
    for number in (1, 2, 3):
        job = world.take()
        assert job.attempt_number == number
        world.record(worker.started(job))
        if number == 2:
            world.later(46)
            assert world.scheduler._leases.check(world.clock()) == 1
        else:
            world.record(worker.failed(job))
        world.dispatch()
        assert world.bus.depth("benchmark.cpu") == 0, "it waits a while"
        world.later(60)
    world.turn()
    assert status(world) == "finalised"
    assert outcomes(world) == ["undecided"]
    assert paid(world) == [str(ids["slow"]), str(ids["fast"])]


def test_a_challenge_that_comes_too_late_is_not_waited_for(world):
    ids = contested(world)
    world.turn()
    worker, job = Worker(world.clock), world.take()
    world.record(worker.started(job))
    world.blocks(49)
    world.turn()
    assert status(world) == "evaluating"
    world.blocks(21)
    world.turn()
    assert status(world) == "finalised"
    world.record(worker.challenged(job))
    assert outcomes(world) == ["undecided"], "its token opens nothing now"
    assert paid(world) == [str(ids["slow"]), str(ids["fast"])]


def test_a_message_that_is_lost_costs_a_challenge_nothing(quick):
    world = quick
    contested(world)
    world.turn()
    world.take()
    world.later(31)
    assert world.scheduler._leases.check(world.clock()) == 1
    job = world.take()
    assert job.attempt_number == 2
    world.record(Worker(world.clock).challenged(job))
    assert outcomes(world) == ["won"]


def test_a_round_has_so_many_challenges_and_no_more(sqlite_url, tmp_path):
    for world in worlds(sqlite_url, tmp_path, challenges_per_round=1):
        ids = contested(world, a=1.0, b=0.5, c=0.25)
        world.turn()
        job = world.take()
        assert world.bus.depth("benchmark.cpu") == 0
        world.record(Worker(world.clock).challenged(job))
        world.turn()
        assert status(world) == "finalised"
        # c won against b alone, and stays below a like him
        assert paid(world) == [str(ids[name]) for name in ("a", "c", "b")]
        assert sorted(outcomes(world)) == ["undecided", "undecided", "won"]


def test_without_challenges_the_scores_alone_decide(sqlite_url, tmp_path):
    for world in worlds(sqlite_url, tmp_path, challenges_per_round=0):
        ids = contested(world)
        world.turn()
        assert status(world) == "finalised"
        assert paid(world) == [str(ids["fast"]), str(ids["slow"])]
        assert rows(world) == []


def test_challenges_of_one_submission_take_turns(quick):
    world = quick
    contested(world, a=1.0, b=0.5, c=0.25)
    world.turn()
    assert len(rows(world)) == 3
    first, second = world.take(), world.take()
    assert {first.submission_id, second.submission_id} == {
        row.challenger_id for row in rows(world)
    }
    world.dispatch()
    assert world.bus.depth("benchmark.cpu") == 0
    world.record(Worker(world.clock).challenged(first))
    third = world.take()
    assert third.submission_id == first.submission_id


@pytest.mark.parametrize("how", ["rejected", "verified", "benchmarked"])
def test_a_challenges_token_moves_no_submission(quick, how):
    world = quick
    ids = contested(world)
    world.turn()
    worker, job = Worker(world.clock), world.take()
    about = {"sequence_length": job.challenger.sequence_length}
    told = {
        "rejected": worker.rejected,
        "verified": worker.verified,
        "benchmarked": lambda it: worker.benchmarked(
            SimpleNamespace(**{**dict(it), **about})
        ),
    }
    world.record(told[how](job))
    assert world.status(ids["fast"]) == "scored"
    with world.database.read() as session:
        query = select(Attempt.state).where(Attempt.challenge_id.is_not(None))
        assert session.scalars(query).all() == ["failed"]


@pytest.mark.parametrize(
    "changes",
    [
        {"manifest": a_manifest(harness_digest="9" * 64)},
        {"manifest": a_manifest(seed="6" * 64)},
        {"manifest": a_manifest(seed=None)},
    ],
)
def test_a_challenge_by_another_judge_or_seed_is_made_again(quick, changes):
    world = quick
    contested(world)
    world.turn()
    job = world.take()
    world.record(Worker(world.clock).challenged(job, **changes))
    assert outcomes(world) == [None]
    world.later(60)
    assert world.take().attempt_number == 2


def test_a_challenge_of_other_lengths_is_made_again(quick):
    world = quick
    contested(world)
    world.turn()
    job = world.take()
    longer = job.defender.model_copy(update={"sequence_length": 5_000})
    told = Worker(world.clock).challenged(
        job.model_copy(update={"defender": longer})
    )
    world.record(told)
    assert outcomes(world) == [None]


def test_an_entry_that_was_taken_out_is_not_waited_for(quick):
    world = quick
    ids = contested(world)
    world.turn()
    world.take()
    with world.database.write() as session:
        from services.api.submissions import repository
        from services.api.submissions.moves import move

        row = repository.locked(session, ids["fast"])
        move(session, row, "invalidated", actor="admin", now=world.clock())
    world.turn()
    assert status(world) == "finalised"
    assert paid(world) == [str(ids["slow"])]
