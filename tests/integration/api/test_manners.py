"""How the API answers: problems, pages, streams, health, and denial."""

import json

import psycopg
import pytest
from fastapi.testclient import TestClient

from services.api.app import create_app
from services.api.db import session as db_session
from tests.support.api import make_world, settings_for
from tests.support.judged import Worker, play

UNKNOWN = "2be4a955-0ec8-489a-ab78-df08e5cfaa18"


def problem(answer):
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/nothing", (404, "not_found")),
        ("GET", "/submissions/", (404, "not_found")),
        ("DELETE", "/leaderboard", (405, "method_not_allowed")),
        ("PUT", "/submit_submission", (405, "method_not_allowed")),
        ("GET", f"/submissions/{UNKNOWN}", (404, "not_found")),
        ("GET", f"/submissions/{UNKNOWN}/events", (404, "not_found")),
        ("GET", "/submissions/7", (422, "invalid_request")),
        ("GET", "/submissions?hotkey=%00", (422, "invalid_request")),
        ("GET", "/submissions?cursor=%00", (422, "invalid_request")),
        ("GET", "/submissions?limit=100000", (422, "invalid_request")),
        ("GET", "/submissions?status=winning", (422, "invalid_request")),
        ("GET", "/rounds/0", (422, "invalid_request")),
        ("GET", f"/rounds/{2**31 - 1}", (404, "not_found")),
        ("GET", f"/rounds/{2**31}", (422, "invalid_request")),
        ("GET", "/rounds/7/standings", (404, "not_found")),
        ("GET", "/leaderboard?round=7", (404, "not_found")),
    ],
)
def test_every_error_is_a_problem_with_a_code(
    sqlite_world, method, path, expected
):
    assert problem(sqlite_world.client.request(method, path)) == expected


def test_an_error_of_ours_tells_nothing_but_its_request(
    sqlite_world, monkeypatch
):
    def crash(*_args, **_kwargs):
        raise RuntimeError("the password is hunter2")

    monkeypatch.setattr("services.api.rounds.service.view", crash)
    answer = sqlite_world.client.get(
        "/rounds/current", headers={"X-Request-ID": "my-request-1"}
    )
    assert problem(answer) == (500, "internal")
    assert "hunter2" not in answer.text
    assert answer.headers["x-request-id"] == "my-request-1"


def test_a_request_id_that_is_no_id_is_replaced(sqlite_world):
    answer = sqlite_world.client.get(
        "/health/live", headers={"X-Request-ID": "a b\tc" * 9}
    )
    assert len(answer.headers["x-request-id"]) == 36


def test_everything_that_writes_is_denied_to_the_unsigned(sqlite_world):
    document = sqlite_world.client.get("/openapi.json").json()
    writes = [
        (method, path)
        for path, operations in document["paths"].items()
        for method in operations
        if method not in {"get", "head", "parameters"}
    ]
    assert ("post", "/submit_submission") in writes
    for method, path in writes:
        answer = sqlite_world.client.request(method, path, json={})
        assert problem(answer) == (401, "signature_missing"), path
        described = document["paths"][path][method]
        ((role,),) = (one["btauth"] for one in described["security"])
        assert role in {"signer", "miner", "validator", "admin"}


def test_submissions_come_in_pages_and_by_what_is_asked(world):
    ids = []
    for name in "abcde":
        world.register(name)
        ids.append(str(world.accepted(name)))
    seen, cursor = [], ""
    while cursor is not None:
        path = (
            f"/submissions?limit=2&cursor={cursor}"
            if cursor
            else ("/submissions?limit=2")
        )
        page = world.client.get(path).json()
        seen += [row["submission_id"] for row in page["submissions"]]
        cursor = page["next_cursor"]
    assert seen == ids[::-1]
    hotkey = world.register("a")
    path = f"/submissions?hotkey={hotkey}&status=queued&round=1"
    (row,) = world.client.get(path).json()["submissions"]
    assert row["submission_id"] == ids[0]
    path = "/submissions?status=scored"
    assert world.client.get(path).json()["submissions"] == []


def test_statistics_count_and_name_the_best(world):
    world.register("a")
    world.register("b")
    first = play(world, "a", 1.0)
    world.accepted("b")
    world.later(7)
    stats = world.client.get("/get_submission_stats?limit=1").json()
    assert stats["total"] == 2
    assert stats["by_status"] == {"queued": 1, "scored": 1}
    assert stats["queue_depth"] == 1
    assert stats["oldest_queued_seconds"] == 7
    assert len(stats["recent_submissions"]) == 1
    assert stats["top_performers"][0]["submission_id"] == str(first)


# --- streams -----------------------------------------------------------------


def told(text):
    """The events of a stream: (id, event, data)."""
    events = []
    for block in text.split("\n\n"):
        fields = dict(
            line.split(": ", 1)
            for line in block.splitlines()
            if not line.startswith(":")
        )
        if "data" in fields:
            data = json.loads(fields["data"])
            events.append((fields.get("id"), fields["event"], data))
    return events


def test_a_stream_tells_every_move_and_ends(world):
    world.register("a")
    submission_id = play(world, "a")
    path = f"/submissions/{submission_id}/events"
    answer = world.client.get(path)
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = told(answer.text)
    assert [
        data["to_status"] for _, kind, data in events if kind == "moved"
    ] == [
        "queued",
        "benchmarking",
        "verifying",
        "scored",
    ]
    assert events[-1][1] == "end"
    assert "retry: " in answer.text


def test_a_stream_is_resumed_after_the_id_that_was_seen_last(world):
    world.register("a")
    submission_id = play(world, "a")
    path = f"/submissions/{submission_id}/events"
    events = told(world.client.get(path).text)
    resumed = world.client.get(path, headers={"Last-Event-ID": events[1][0]})
    assert told(resumed.text) == events[2:]
    last = {"Last-Event-ID": events[-2][0]}
    assert world.client.get(path, headers=last).status_code == 204
    for bad in ("-1", "x", "9" * 30):
        answer = world.client.get(path, headers={"Last-Event-ID": bad})
        assert answer.status_code == 422


def test_a_stream_tells_what_happens_while_it_is_open(sqlite_world):
    from concurrent.futures import ThreadPoolExecutor

    world = sqlite_world
    world.register("a")
    submission_id = world.accepted("a")
    job = world.take()
    with ThreadPoolExecutor(1) as pool:
        stream = pool.submit(
            world.client.get, f"/submissions/{submission_id}/events"
        )
        worker = Worker(world.clock)
        world.record(worker.started(job), worker.rejected(job))
        events = told(stream.result(timeout=20).text)
    assert events[-2][2]["to_status"] == "rejected"


def test_streams_are_bounded_in_number(sqlite_url, tmp_path):
    for world in make_world(
        sqlite_url,
        tmp_path,
        max_event_streams=1,
        max_event_streams_per_client=1,
    ):
        world.open_round()
        world.register("a")
        submission_id = play(world, "a")
        path = f"/submissions/{submission_id}/events"
        streams = world.client.app.state.streams
        for client, refusal in (
            ("another", (503, "unavailable")),
            ("testclient", (429, "rate_limited")),
        ):
            with streams.entered(client):
                answer = world.client.get(path)
            assert problem(answer) == refusal
            assert answer.headers["retry-after"]
        assert world.client.get(path).status_code == 200
        assert world.client.get(path).status_code == 200


# --- health ------------------------------------------------------------------


def test_health_tells_what_is_away(sqlite_world):
    world = sqlite_world
    assert world.client.get("/health/live").json()["status"] == "ok"
    assert world.client.get("/health/ready").status_code == 200
    world.bus.away = True
    answer = world.client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["checks"] == {
        "database": "ok",
        "broker": "unavailable",
    }
    assert world.client.get("/health/live").status_code == 200


def test_health_tells_of_tables_that_are_not_there(empty_database_url):
    app = create_app(
        settings_for(empty_database_url, redis_url="redis://127.0.0.1:1/0")
    )
    with TestClient(app) as client:
        answer = client.get("/health/ready")
        assert answer.status_code == 503
        assert answer.json()["checks"] == {
            "database": "not migrated",
            "broker": "unavailable",
        }


def test_metrics_have_bounded_labels(sqlite_world):
    world = sqlite_world
    hotkey = world.register("a")
    submission_id = world.accepted("a")
    world.client.get(f"/submissions/{submission_id}")
    world.client.get("/made-up-path")
    world.client.request("BREW", "/coffee")
    world.scheduler.measure(world.clock())
    text = world.client.get("/metrics").text
    assert 'route="/submissions/{submission_id}"' in text
    assert 'quasar_queue_depth{pool="cpu",queue="benchmark"} 1.0' in text
    for secret in (hotkey, str(submission_id), "made-up", "BREW", "coffee"):
        assert secret not in text


def test_in_production_metrics_are_not_for_strangers(sqlite_url, tmp_path):
    from tests.support.wallets import address

    for world in make_world(
        sqlite_url,
        tmp_path,
        environment="production",
        worker_hotkeys={"worker-1": address("worker-1")},
    ):
        assert world.client.get("/metrics").status_code == 404


def cut_connections(url):
    """End every connection to this database but ours, and see them gone."""
    with psycopg.connect(url, autocommit=True) as other:
        ended = other.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchall()
    assert ended
    assert all(gone for (gone,) in ended)


@pytest.mark.parametrize("rest_seconds", [0.0, 3_600.0])
def test_after_a_cut_connection_the_next_request_is_answered(
    postgres_database_url, tmp_path, monkeypatch, rest_seconds
):
    """Be it rested or in use a moment ago, to read or to write."""
    monkeypatch.setattr(db_session, "REST_SECONDS", rest_seconds)
    for world in make_world(postgres_database_url, tmp_path):
        world.open_round()
        world.register("alice")
        assert world.client.get("/submissions").status_code == 200
        cut_connections(postgres_database_url)
        assert world.client.get("/submissions").status_code == 200
        cut_connections(postgres_database_url)
        assert world.submit("alice").status_code == 202
