from uuid import uuid4

import pytest

from tests.support.judged import Worker, play
from tests.support.sealed import withdraw


@pytest.fixture
def world(sqlite_world):
    sqlite_world.register("alice")
    sqlite_world.register("bob")
    return sqlite_world


def refused(answer, status, code):
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    return answer.json()["detail"]


def test_what_waits_is_withdrawn_and_is_free(world):
    submission_id = world.accepted("alice")
    answer = withdraw(world, "alice", submission_id)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["status"], body["position"]) == ("withdrawn", None)
    assert body["quota"]["judged_this_round"] == 0
    assert body["quota"]["waiting_in_league"] == 0
    again = withdraw(world, "alice", submission_id)
    assert (again.status_code, again.json()) == (200, body)
    assert world.accepted("alice") != submission_id


def test_nobody_withdraws_what_is_somebody_elses(world):
    submission_id = world.accepted("alice")
    refused(withdraw(world, "bob", submission_id), 403, "not_permitted")
    refused(withdraw(world, "bob", uuid4()), 404, "not_found")
    assert world.status(submission_id) == "queued"


def test_a_message_on_its_way_opens_nothing_and_the_turn_is_spent(world):
    submission_id = world.accepted("alice")
    job = world.take()
    assert job.submission_id == submission_id
    answer = withdraw(world, "alice", submission_id)
    assert answer.status_code == 200
    # else a worker's time would be had for nothing, again and again
    assert answer.json()["quota"]["judged_this_round"] == 1
    worker = Worker(world.clock)
    world.record(worker.started(job), worker.benchmarked(job))
    assert world.status(submission_id) == "withdrawn"


def test_what_no_message_was_sent_of_is_sent_no_more(world):
    world.bus.away = True
    submission_id = world.accepted("alice")
    world.dispatch()
    answer = withdraw(world, "alice", submission_id)
    assert answer.json()["quota"]["judged_this_round"] == 0
    world.bus.away = False
    world.later(60)
    world.dispatch()
    assert world.bus.queues["benchmark.cpu"] == []


def test_what_a_worker_has_or_had_is_not_withdrawn(world):
    submission_id = world.accepted("alice")
    job = world.take()
    world.record(Worker(world.clock).started(job))
    detail = refused(withdraw(world, "alice", submission_id), 409, "conflict")
    assert "benchmarking" in detail
    scored = play(world, "bob")
    refused(withdraw(world, "bob", scored), 409, "conflict")
