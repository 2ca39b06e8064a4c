"""Everything from the log alone, and whoever changed a row is found."""

# pylint: disable=redefined-outer-name

import json

import pytest
from typer.testing import CliRunner

from services.api.cli import admin
from services.api.db.records import LogRow
from services.api.rebuild import service
from services.api.submissions.moves import move
from services.api.submissions.repository import locked
from tests.support.api import make_world
from tests.support.judged import Worker, play
from tests.support.tampering import tamper
from tests.support.wallets import address

RULES = {"round_blocks": 100, "evaluating_blocks": 50, "min_improvement": 0.1}


@pytest.fixture
def played(database_url, tmp_path):
    """Two rounds with a bit of everything that a log can tell."""
    for world in make_world(database_url, tmp_path, **RULES):
        world.open_round()
        ids = {}
        for name, seconds in {"slow": 1.0, "fast": 0.5, "copy": 0.4}.items():
            world.register(name)
            text = "same\n" if name in {"fast", "copy"} else None
            ids[name] = play(world, name, seconds, text=text)
            world.blocks(1)
        world.register("wrong")
        ids["wrong"] = world.accepted("wrong")
        job, worker = world.take(), Worker(world.clock)
        world.record(worker.fetched(job), worker.rejected(job))
        world.register("late")
        ids["late"] = world.accepted("late")
        world.scheduler.seal(world.clock())
        for blocks in (100, 50):
            world.blocks(blocks)
            world.turn()
        world.register("validator", permit=True)
        report = {
            "round_number": 1,
            "outcome": "set",
            "block": 9,
            "netuid": 24,
            "weights": {"0": 1.0},
            "hotkeys": {"0": address("fast")},
        }
        answer = world.post("validator", "/weights/reports", report)
        assert answer.status_code == 202, answer.text
        world.turn()
        play_on(world, ids["late"])
        with world.database.write() as session:
            row = locked(session, ids["slow"])
            move(
                session,
                row,
                "invalidated",
                actor="admin:x",
                now=world.clock(),
                evidence={"reason": "a test of it"},
            )
        world.extra["ids"] = ids
        yield world


def play_on(world, submission_id):
    job = world.take()
    while job.submission_id != submission_id:
        job = world.take()
    worker = Worker(world.clock)
    world.record(worker.fetched(job), worker.benchmarked(job, 0.7))
    check = world.take("verification")
    world.record(worker.verified(check))
    assert world.status(submission_id) == "scored"


def checked(world, **options):
    rebuilt = service.rebuild(world.database, check=True, **options)
    return [str(found) for found in rebuilt.findings]


def test_the_log_alone_gives_every_board_to_identical_bytes(played):
    rebuilt = service.rebuild(played.database, check=True)
    assert rebuilt.findings == ()
    for number in (1, 2):
        for path, page in {
            f"/rounds/{number}/standings": "standings",
            f"/leaderboard?round={number}": "leaderboard",
            f"/leaderboard?round={number}&league=200k": "leaderboard-200k",
        }.items():
            shown = played.client.get(path).json()
            shown.pop("next_cursor", None)
            told = json.loads(rebuilt.pages[f"round-{number}/{page}.json"])
            told.pop("next_cursor", None)
            assert shown == told, path
    weights = json.loads(rebuilt.pages["round-1/weights.json"])
    assert set(weights["shares"]) == {address("fast"), address("slow")}
    last = played.client.get("/rounds/1/standings").json()["log_hash"]
    assert checked(played, expected=last) == []
    assert checked(played, expected="7" * 64) == [
        f"hash {'7' * 64}: is no block's: the log was cut or rewritten"
    ]


def differs(where, name, there, told):
    return f"{where}: {name} is {there!r}, and the log says {told!r}"


def test_whatever_table_was_changed_the_row_is_named(played):
    ids, is_sqlite = played.extra["ids"], played.database.is_sqlite
    first = "standings of round 1, place 1"
    changes = [
        ("submissions", "fast", "tokens_per_sec", 9e9, 2048.0),
        ("submissions", "fast", "is_rerun", True, False),
        ("submissions", "fast", "hotkey", "me", address("fast")),
        ("submissions", "late", "status", "rejected", "scored"),
        ("standings", first, "share", 0.9, share(played)),
        ("rounds", "round 1", "burn_share", 0.5, 0.0),
        (
            "weights_reports",
            "weights report 1",
            "validator_hotkey",
            "me",
            address("validator"),
        ),
    ]
    for table, which, name, there, told in changes:
        key, name_of_row = KEYS.get(table), which
        if key is None:
            mine = ids[which]
            key = f"id = '{mine.hex if is_sqlite else mine}'"
            name_of_row = f"submission {mine}"
        change = f"UPDATE {table} SET {name} = %s WHERE {key}"
        tamper(played.database, change % repr(there))
        found = [one for one in checked(played) if "byte for byte" not in one]
        assert found == [differs(name_of_row, name, there, told)]
        tamper(played.database, change % repr(told))
    assert checked(played) == []


KEYS = {
    "standings": "round_number = 1 AND place = 1",
    "rounds": "number = 1",
    "weights_reports": "id = 1",
}


def share(world):
    return world.client.get("/rounds/1/standings").json()["rows"][0]["share"]


def test_a_row_that_is_gone_or_was_added_is_named(played):
    tamper(
        played.database,
        "DELETE FROM standings WHERE round_number = 1 AND place = 2",
        "DELETE FROM weights_reports",
        "UPDATE standings SET place = 7 WHERE round_number = 1 AND place = 3",
    )
    assert [one for one in checked(played) if "standings" in one][:3] == [
        "standings of round 1, place 2: is gone; the log gives it",
        "standings of round 1, place 3: is gone; the log gives it",
        "standings of round 1, place 7: comes from no row of the log",
    ]
    assert "weights report 1: is gone; the log has it" in checked(played)


def test_a_log_that_was_rewritten_with_its_table_is_found_by_its_block(
    played,
):
    with played.database.read() as session:
        row = next(
            row
            for row in session.query(LogRow)
            if row.to_status == "verifying"
        )
        sequence, submission_id = row.sequence, row.submission_id
        evidence = json.dumps({**row.evidence, "weighted_score": 1e9})
    spelt = (
        submission_id.hex if played.database.is_sqlite else str(submission_id)
    )
    quoted = evidence.replace(":", r"\:")
    changes = (
        f"event_log SET evidence = '{quoted}' WHERE sequence = {sequence}",
        f"submissions SET weighted_score = 1000000000 WHERE id = '{spelt}'",
    )
    tamper(played.database, *(f"UPDATE {change}" for change in changes))
    found = checked(played)
    assert (
        f"row {sequence} of the log: was changed after block 1 had sealed it"
        in found
    )


def test_the_command_says_what_it_found_by_its_exit_code(
    played, monkeypatch, tmp_path
):
    url = played.doors.settings.database_url
    monkeypatch.setenv("QUASAR_DATABASE_URL", url)
    out = tmp_path / "books"
    done = CliRunner().invoke(admin, ["rebuild", "--check", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert (out / "round-1" / "standings.json").is_file()
    tamper(played.database, "UPDATE rounds SET pool = 'gpu' WHERE number = 2")
    done = CliRunner().invoke(admin, ["rebuild", "--check", "--json"])
    assert done.exit_code == 1
    assert json.loads(done.output)["findings"][0] == (
        "round 2: pool is 'gpu', and the log says 'cpu'"
    )
