"""The board of canaries on both engines."""

import json

from typer.testing import CliRunner

from services.api import gauges
from services.api.db import migrate
from services.benchmark_worker.cli import worker
from tests.support.api_server import served
from tests.support.events import (
    canary_completed,
    right_canaries,
    worker_seen,
)


def test_a_board_of_several_workers(world):
    for name in ("a", "b"):
        world.record(worker_seen(name), *right_canaries(name))
    world.record(canary_completed("b", got="output_mismatch"))
    world.record(
        worker_seen("a", "verifier"), *right_canaries("a", "verifier")
    )
    first = world.client.get("/canaries?limit=2").json()
    assert first["honest_passed"] == {"right": 3, "runs": 4}
    assert first["cheats_caught"] == {"right": 6, "runs": 6}
    assert [(one["worker"], one["role"]) for one in first["workers"]] == [
        ("a", "benchmark"),
        ("a", "verifier"),
    ]
    cursor = first["next_cursor"]
    (last,) = world.client.get(f"/canaries?cursor={cursor}").json()["workers"]
    assert last["worker"] == "b"
    assert [run["right"] for run in last["last_runs"]] == [True, True, False]
    assert [run["canary"] for run in last["last_runs"]] == [
        "smuggler",
        "forgetful",
        "honest",
    ]


def test_a_message_that_comes_twice_is_one_run(world):
    event = canary_completed()
    world.record(worker_seen(), event, event)
    board = world.client.get("/canaries").json()
    assert board["honest_passed"] == {"right": 1, "runs": 1}


def test_gauges_and_a_migration_back_and_forth(world):
    world.record(worker_seen(), *right_canaries())
    with world.database.read() as session:
        gauges.update(session, None, world.clock(), 60.0)
    migrate.downgrade(world.database, "0006")
    migrate.upgrade(world.database)
    board = world.client.get("/canaries").json()
    assert board["honest_passed"]["runs"] == 0
    assert [one["worker"] for one in board["workers"]] == ["worker-1"]


def test_the_command_shows_the_board_and_fails_on_a_wrong_run(world):
    world.record(worker_seen(), *right_canaries())
    with served(world.client.app) as url:

        def run(*words):
            return CliRunner().invoke(
                worker, ["canaries", "--api-url", url, *words]
            )

        done = run("--json")
        assert done.exit_code == 0, done.output
        board = json.loads(done.stdout.splitlines()[-1])
        assert board["cheats_caught"] == {"right": 2, "runs": 2}
        world.record(canary_completed(got="output_mismatch"))
        done = run()
        assert done.exit_code == 1
        assert "WRONG: honest had to be passed" in done.stdout
        assert "honest passed 1 of 2" in done.stdout
    assert run().exit_code == 2
