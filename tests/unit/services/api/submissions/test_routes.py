from uuid import uuid4

from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from services.api.submissions.routes import router


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
