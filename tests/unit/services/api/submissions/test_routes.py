from dataclasses import replace
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from services.api.app import create_app
from services.api.miners.registry import Registry
from services.api.submissions.routes import router
from tests.support.chains import HangingChain
from tests.support.waiting import eventually


def test_the_seeds_names_are_kept():
    paths = {route.path for route in router.routes}
    assert paths >= {
        "/submit_submission",
        "/submissions/{submission_id}",
        "/submissions/{submission_id}/events",
        "/submissions",
    }


def test_a_submission_that_is_not_there_is_not_found(sqlite_world):
    client = sqlite_world.client
    for path in ("", "/events"):
        answer = client.get(f"/submissions/{uuid4()}{path}")
        assert answer.status_code == 404
        assert answer.json()["code"] == "not_found"


def test_pages_end(sqlite_world):
    world = sqlite_world
    for name in "ab":
        world.register(name)
        world.accepted(name)
    page = world.client.get("/submissions?limit=2").json()
    assert page["next_cursor"] is None
    page = world.client.get("/submissions?limit=1").json()
    assert page["next_cursor"] == page["submissions"][0]["submission_id"]


def test_a_line_of_the_log_joins_a_requests_id_with_its_submissions(
    sqlite_world,
):
    world = sqlite_world
    world.register("a")
    with capture_logs([merge_contextvars]) as lines:
        answer = world.submit("a")
    (line,) = [one for one in lines if one["event"] == "submission.accepted"]
    assert line["submission_id"] == answer.json()["submission_id"]
    assert line["request_id"] == answer.headers["X-Request-ID"]


@pytest.fixture
def hanging(sqlite_world):
    """A world whose web goes by a chain with a gate, which is open."""
    chain = HangingChain(sqlite_world.chain)
    chain.gate.set()
    registry = Registry(lambda: chain, 0, 600, patience_seconds=0)
    doors = replace(sqlite_world.doors, registry=registry)
    app = create_app(doors.settings, doors)
    with TestClient(app, raise_server_exceptions=False) as client:
        world = replace(sqlite_world, doors=doors, client=client)
        yield world, chain
        chain.gate.set()


def test_with_a_node_that_hangs_a_known_miner_is_let_in(hanging):
    world, chain = hanging
    world.blocks(7)
    for name in "abc":
        world.register(name)
    # this web waits for nothing: what was asked is answered by and by
    eventually(lambda: world.doors.registry.last_height() == 7)
    eventually(lambda: world.submit("stranger").status_code == 403)
    chain.gate.clear()

    def hangs():
        assert world.submit("stranger").status_code == 403
        asked = chain.asked.count("metagraph")
        return chain.answered.count("metagraph") < asked

    eventually(hangs)
    answered = chain.answered.count("metagraph")
    for name in "abc":
        view = world.view(world.accepted(name))
        assert view["commit_block"] == 7
    assert chain.answered.count("metagraph") == answered


def test_with_a_node_that_hangs_from_the_start_nobody_is_let_in(hanging):
    world, chain = hanging
    world.register("a")
    chain.gate.clear()
    for _ in range(3):
        answer = world.submit("a")
        assert answer.status_code == 503
        assert answer.json()["code"] == "metagraph_unavailable"
    assert (chain.asked, chain.answered) == (["metagraph"], [])
