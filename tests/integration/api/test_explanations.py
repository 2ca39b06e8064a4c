"""Why somebody stands where he stands, while a round runs and after it."""

# pylint: disable=redefined-outer-name

import pytest

from tests.support.api import make_world
from tests.support.judged import Worker, play
from tests.support.wallets import address

RULES = {
    "round_blocks": 100,
    "evaluating_blocks": 50,
    "min_improvement": 0.1,
    "reenter_paid_places": False,
}


@pytest.fixture
def raced(database_url, tmp_path):
    """fast > copy of fast > mate of fast (same coldkey) > slow, and more."""
    for world in make_world(database_url, tmp_path, **RULES):
        world.open_round()
        world.register("fast", "one-cold")
        world.register("mate", "one-cold")
        for name in ("copy", "slow", "wrong", "waits"):
            world.register(name)
        ids = {"slow": play(world, "slow", 2.0)}
        world.blocks(1)
        ids["fast"] = play(world, "fast", 0.5, text="same\n")
        ids["older"] = play(world, "fast", 1.9, target_sequence_length=500)
        world.blocks(1)
        ids["copy"] = play(world, "copy", 0.2, text="same\n")
        ids["mate"] = play(world, "mate", 1.0)
        ids["wrong"] = world.accepted("wrong")
        job, worker = world.take(), Worker(world.clock)
        world.record(worker.fetched(job), worker.rejected(job))
        ids["waits"] = world.accepted("waits")
        world.extra["ids"] = ids
        yield world


def explained(world, name, number=1):
    answer = world.client.get(f"/rounds/{number}/explain/{address(name)}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_place_is_taken_apart_into_its_factors(raced):
    ids = raced.extra["ids"]
    mine = explained(raced, "fast")
    assert not mine["final"]
    assert mine["entry"]["place"] == 1
    assert mine["above"] is None
    assert mine["below"]["hotkey"] == address("copy")
    assert mine["founder"]["is_me"]
    assert mine["share"]["place_share"] == 0.6
    assert mine["share"]["filled_places"] == 2
    assert mine["share"]["share"] == pytest.approx(0.6 / 0.85)
    reasons = {
        one["submission_id"]: one["reason"] for one in mine["submissions"]
    }
    assert reasons == {
        str(ids["fast"]): "counted",
        str(ids["older"]): "not_the_highest",
    }


def test_a_copy_is_told_of_whom_it_is_one(raced):
    ids = raced.extra["ids"]
    copy = explained(raced, "copy")
    assert copy["unpaid_reason"] == "not_a_founder"
    assert "founded this level" in copy["unpaid_sentence"]
    founder = copy["founder"]
    assert founder["submission_id"] == str(ids["fast"])
    assert (founder["is_me"], founder["same_code"]) == (False, True)
    above = copy["above"]
    assert above["hotkey"] == address("fast")
    assert above["ahead_by"] == pytest.approx(0.2 / 0.5 - 1)
    assert above["score_to_pass"] == pytest.approx(
        1.1 * above["weighted_score"]
    )


def test_a_second_place_of_one_owner_is_told_which_is_paid(raced):
    mate = explained(raced, "mate")
    assert mate["unpaid_reason"] == "coldkey_already_paid"
    assert mate["paid_instead"] == str(raced.extra["ids"]["fast"])


def test_what_did_not_count_is_told_why(raced):
    wrong = explained(raced, "wrong")
    assert wrong["entry"] is None
    (one,) = wrong["submissions"]
    assert (one["counted"], one["reason"]) == (False, "output_mismatch")
    assert one["sentence"]
    (one,) = explained(raced, "waits")["submissions"]
    assert one["reason"] == "queued"
    assert "pending is not passed" in one["sentence"]


def test_a_final_round_is_explained_as_it_was_frozen(raced):
    before = {
        name: explained(raced, name) for name in ("fast", "copy", "slow")
    }
    for blocks in (100, 50):
        raced.blocks(blocks)
        raced.turn()
    for name, live in before.items():
        frozen = explained(raced, name)
        assert frozen["final"]
        assert frozen == {**live, "final": True, "round_status": "finalised"}


def test_a_stranger_to_the_round_is_not_explained(raced):
    answer = raced.client.get(f"/rounds/1/explain/{address('nobody')}")
    assert answer.status_code == 404
    assert raced.client.get("/rounds/1/explain/me").status_code == 422
    answer = raced.client.get(f"/rounds/9/explain/{address('fast')}")
    assert answer.status_code == 404
