from uuid import uuid4

import pytest

from tests.support.judged import Worker, a_source, play


@pytest.fixture
def world(sqlite_world):
    for name in ("alice", "bob", "carol"):
        sqlite_world.register(name)
    return sqlite_world


def source(world, submission_id):
    return world.client.get(f"/submissions/{submission_id}/source")


def close_the_round(world):
    world.blocks(14_400)
    world.turn()
    evaluating = world.client.get("/rounds/1").json()["status"]
    assert evaluating == "evaluating"


def closed(answer, words):
    assert (answer.status_code, answer.json()["code"]) == (
        403,
        "source_not_public",
    )
    assert words in answer.json()["detail"]


def test_a_source_is_shown_once_its_round_is_final_and_not_before(world):
    submission_id = play(world, "alice", text="x = 42\n")
    closed(source(world, submission_id), "round 1 is open")
    close_the_round(world)
    closed(source(world, submission_id), "round 1 is evaluating")
    world.turn()
    answer = source(world, submission_id)
    assert answer.status_code == 200
    archived = a_source("x = 42\n")
    assert answer.json() == {
        "submission_id": str(submission_id),
        "identity": archived.identity,
        "tree_hash": archived.tree_hash,
        "files": [{"name": "chunk.py", "text": "x = 42\n"}],
    }


def test_what_was_never_judged_stays_its_authors(world):
    worker = Worker(world.clock)
    failing = world.accepted("alice")
    for _ in range(3):
        world.later(60)
        job = world.take()
        world.record(
            worker.started(job), worker.fetched(job), worker.failed(job)
        )
    assert world.status(failing) == "infra_failed"
    rejected = world.accepted("bob")
    job = world.take()
    world.record(worker.started(job), worker.rejected(job))
    close_the_round(world)
    world.turn()
    closed(source(world, failing), "only what was judged is shown")
    assert source(world, rejected).status_code == 404
    assert source(world, uuid4()).status_code == 404


def test_the_log_tail_is_its_owners_alone(world):
    submission_id = world.accepted("alice")
    job = world.take()
    worker = Worker(world.clock)
    world.record(
        worker.started(job), worker.fetched(job), worker.rejected(job)
    )
    path = f"/submissions/{submission_id}"

    def seen(by, where=path):
        headers = world.signed(by, "GET", where) if by else {}
        answer = world.client.get(where, headers=headers)
        assert answer.status_code == 200
        return "secret of its owner" in answer.text

    assert [seen(by) for by in (None, "bob", "alice")] == [False, False, True]
    assert not seen(None, f"{path}/events")
    assert not seen("alice", f"{path}/events")
    assert not seen(None, "/get_submission_stats")
    owners = world.client.get(path, headers=world.signed("alice", "GET", path))
    assert owners.json()["quota"]["judged_this_round"] == 1
    assert world.view(submission_id)["quota"] is None
