"""Administration: orders with a reason, each one in the log."""

# pylint: disable=redefined-outer-name

from uuid import UUID

import pytest
from sqlalchemy import select

from services.api.db.models import Submission
from services.api.db.records import LogRow
from tests.support.api import make_world
from tests.support.judged import Worker, play
from tests.support.wallets import address, spelled

REASON = {"reason": "the drill of today"}
BOSS = address("boss")


def governed(url, directory, **changes):
    for made in make_world(url, directory, admin_hotkeys=(BOSS,), **changes):
        made.open_round()
        yield made


@pytest.fixture
def world(database_url, tmp_path):
    yield from governed(database_url, tmp_path)


@pytest.fixture
def sqlite_world(sqlite_url, tmp_path):
    yield from governed(sqlite_url, tmp_path)


def order(world, path, **body):
    return world.post("boss", f"/admin/{path}", {**REASON, **body})


def problem(answer):
    return answer.status_code, answer.json()["code"]


def log_of_the_boss(world):
    with world.database.read() as session:
        rows = session.scalars(
            select(LogRow)
            .where(LogRow.actor == f"admin:{BOSS}")
            .order_by(LogRow.sequence)
        ).all()
        return [
            (row.kind, row.from_status, row.to_status, row.evidence)
            for row in rows
        ]


def moved(order_name, start, end):
    evidence = {"order": order_name, **REASON}
    return ("moved", start, end, evidence)


def rejected(world, name):
    """A submission of that miner's that was rejected."""
    world.register(name)
    submission_id = world.accepted(name)
    job, worker = world.take(), Worker(world.clock)
    world.record(worker.started(job), worker.rejected(job))
    return submission_id


def test_every_order_stands_in_the_log_of_orders_with_who_when_and_why(world):
    submission_id = rejected(world, "a")
    for path, body in (
        (f"submissions/{submission_id}/requeue", {}),
        ("bans", {"kind": "address", "subject": "192.0.2.7", "hours": 1}),
        ("rounds/1/close", {}),
    ):
        world.later(60)
        assert order(world, path, **body).status_code == 200
    answer = world.client.get(
        "/admin/log", headers=world.signed("boss", "GET", "/admin/log")
    )
    assert answer.status_code == 200, answer.text
    told = answer.json()["orders"]
    assert [one["order"] for one in told] == ["close-round", "ban", "requeue"]
    assert {one["reason"] for one in told} == {REASON["reason"]}
    assert {one["ordered_by"] for one in told} == {BOSS}
    times = [one["ordered_at"] for one in told]
    assert times == sorted(set(times), reverse=True)
    closed, banned, requeued = told
    assert (closed["round_number"], closed["to_status"]) == (1, "open")
    assert (banned["kind"], banned["subject"]) == ("address", "192.0.2.7/32")
    assert banned["until"] > banned["ordered_at"]
    assert requeued["submission_id"] == str(submission_id)
    moves = (requeued["from_status"], requeued["to_status"])
    assert moves == ("rejected", "queued")


# --- submissions -------------------------------------------------------------


def test_a_score_is_taken_out_put_back_and_taken_out_for_good(world):
    world.register("a")
    submission_id = play(world, "a")

    def on_the_board():
        return len(world.client.get("/leaderboard").json()["rows"])

    assert on_the_board() == 1
    path = f"submissions/{submission_id}"
    answer = order(world, f"{path}/quarantine")
    assert answer.json() == {
        "submission_id": str(submission_id),
        "from_status": "scored",
        "to_status": "quarantined",
        "round_number": 1,
    }
    assert on_the_board() == 0
    assert order(world, f"{path}/release").status_code == 200
    assert on_the_board() == 1
    assert order(world, f"{path}/invalidate").status_code == 200
    assert on_the_board() == 0
    assert log_of_the_boss(world) == [
        moved("quarantine", "scored", "quarantined"),
        moved("release", "quarantined", "scored"),
        moved("invalidate", "scored", "invalidated"),
    ]


def test_what_was_rejected_is_judged_anew_with_all_its_attempts(world):
    submission_id = rejected(world, "a")
    assert world.view(submission_id)["verdict"]
    answer = order(world, f"submissions/{submission_id}/requeue")
    assert answer.status_code == 200, answer.text
    view = world.view(submission_id)
    assert (view["status"], view["verdict"]) == ("queued", None)
    job, worker = world.take(), Worker(world.clock)
    assert job.submission_id == submission_id
    world.record(worker.started(job), worker.rejected(job))
    assert world.status(submission_id) == "rejected"
    assert log_of_the_boss(world) == [moved("requeue", "rejected", "queued")]


def test_attempts_from_before_count_no_more(sqlite_world):
    world = sqlite_world
    world.register("a")
    submission_id = world.accepted("a")
    worker = Worker(world.clock)

    def lose_all():
        for _ in range(3):
            world.later(700)
            job = world.take()
            world.record(worker.started(job), worker.failed(job))

    lose_all()
    assert world.status(submission_id) == "infra_failed"
    order(world, f"submissions/{submission_id}/requeue")
    job = world.take()
    world.record(worker.started(job), worker.failed(job))
    assert world.status(submission_id) == "queued"


def test_what_an_earlier_round_rejected_is_judged_in_the_open_one(
    sqlite_world,
):
    world = sqlite_world
    submission_id = rejected(world, "a")
    world.blocks(14_400)
    world.turn()
    world.turn()
    answer = order(world, f"submissions/{submission_id}/requeue")
    assert answer.json()["round_number"] == 2
    assert world.view(submission_id)["round_number"] == 2


def test_what_was_sent_again_is_not_queued_twice(sqlite_world):
    world = sqlite_world
    world.register("a")
    submission_id = world.accepted("a")
    with world.database.write() as session:
        row = session.get(Submission, submission_id)
        assert row is not None
        row.status = "infra_failed"
    again = world.accepted("a")
    answer = order(world, f"submissions/{submission_id}/requeue")
    assert problem(answer) == (409, "conflict")
    assert str(again) in answer.json()["detail"]


@pytest.mark.parametrize("name", ["invalidate", "quarantine", "release"])
def test_no_order_moves_what_the_table_does_not(sqlite_world, name):
    world = sqlite_world
    world.register("a")
    submission_id = world.accepted("a")
    for one in (name, "requeue"):
        answer = order(world, f"submissions/{submission_id}/{one}")
        assert problem(answer) == (409, "conflict")
    assert world.status(submission_id) == "queued"
    assert log_of_the_boss(world) == []
    unknown = f"submissions/{UUID(int=7)}/{name}"
    assert problem(order(world, unknown)) == (404, "not_found")


def test_what_was_never_scored_is_not_released_to_a_score(sqlite_world):
    world = sqlite_world
    world.register("a")
    submission_id = world.accepted("a")
    with world.database.write() as session:
        row = session.get(Submission, submission_id)
        assert row is not None
        row.status = "quarantined"
    answer = order(world, f"submissions/{submission_id}/release")
    assert problem(answer) == (409, "conflict")


# --- rounds ------------------------------------------------------------------


def test_a_round_ends_by_order_and_the_next_one_opens(sqlite_world):
    world = sqlite_world
    world.blocks(10)
    answer = order(world, "rounds/1/close")
    assert answer.json() == {
        "round_number": 1,
        "status": "open",
        "closes_at_block": 10,
    }
    world.turn()
    assert world.client.get("/rounds/current").json()["round_number"] == 2
    assert problem(order(world, "rounds/1/close")) == (409, "conflict")
    assert problem(order(world, "rounds/9/close")) == (404, "not_found")
    assert order(world, "rounds/open").json()["round_number"] == 2
    world.turn()
    assert world.client.get("/rounds/current").json()["round_number"] == 3
    assert [
        (row[3]["order"], row[3]["reason"]) for row in log_of_the_boss(world)
    ] == [
        ("close-round", REASON["reason"]),
        ("open-round", REASON["reason"]),
    ]


def test_an_order_to_close_what_is_due_is_logged_and_changes_nothing(
    sqlite_world,
):
    world = sqlite_world
    world.blocks(10)
    for _ in range(2):
        answer = order(world, "rounds/1/close")
        assert answer.json()["closes_at_block"] == 10
        world.blocks(5)
    told = [evidence for *_, evidence in log_of_the_boss(world)]
    assert [(one["planned_block"], one["block"]) for one in told] == [
        (14_400, 10),
        (10, 10),
    ]


def test_no_round_ends_at_a_height_that_is_not_known(sqlite_world):
    from quasar_core.chain.chain import ChainUnavailable

    sqlite_world.doors.registry.gone = ChainUnavailable("away")
    answer = order(sqlite_world, "rounds/open")
    assert problem(answer) == (503, "unavailable")


# --- bans --------------------------------------------------------------------


def test_a_banned_hotkey_writes_nothing_until_it_is_lifted(world):
    world.register("a")
    hotkey = {"kind": "hotkey", "subject": spelled("a").ss58_address}
    answer = order(world, "bans", **hotkey)
    assert answer.status_code == 200, answer.text
    assert answer.json()["subject"] == address("a")
    refused = world.submit("a")
    assert problem(refused) == (403, "banned")
    assert "retry-after" not in refused.headers
    assert REASON["reason"] in refused.json()["detail"]
    assert world.client.get("/rounds/current").status_code == 200
    assert order(world, "bans/lift", **hotkey).status_code == 200
    assert world.submit("a").status_code == 202
    assert problem(order(world, "bans/lift", **hotkey)) == (404, "not_found")
    ban = {"order": "ban", **REASON, **hotkey, "subject": address("a")}
    assert log_of_the_boss(world) == [
        ("admin", None, None, {**ban, "until": None}),
        ("admin", None, None, {**ban, "order": "lift"}),
    ]


def test_a_ban_ends_when_it_was_said_to(sqlite_world):
    world = sqlite_world
    world.register("a")
    order(world, "bans", kind="hotkey", subject=address("a"), hours=1)
    answer = world.submit("a")
    assert problem(answer) == (403, "banned")
    assert answer.headers["retry-after"] == "3600"
    world.later(3_600)
    assert world.submit("a").status_code == 202
    listed = world.client.get(
        "/admin/bans", headers=world.signed("boss", "GET", "/admin/bans")
    )
    assert listed.json() == {"bans": []}


def test_a_banned_network_is_not_even_answered(sqlite_url, tmp_path):
    for world in governed(
        sqlite_url,
        tmp_path,
        peer="10.0.0.1",
        trusted_proxies=("10.0.0.1",),
    ):
        subject = {"kind": "address", "subject": "198.51.100.0/24"}
        view = order(world, "bans", **subject, hours=2)
        assert view.json()["subject"] == "198.51.100.0/24"

        def status(client, world=world):
            sent = {"X-Forwarded-For": client}
            return world.client.get("/rounds/current", headers=sent)

        assert problem(status("198.51.100.9")) == (403, "banned")
        assert status("198.51.101.9").status_code == 200
        assert status("2001:db8::1").status_code == 200
        order(world, "bans/lift", **subject)
        assert status("198.51.100.9").status_code == 200


@pytest.mark.parametrize(
    ("kind", "subject", "expected"),
    [
        ("hotkey", "nobody", (422, "invalid_request")),
        ("hotkey", BOSS, (409, "conflict")),
        ("address", "0.0.0.0/0", (422, "invalid_request")),
        ("address", "everybody", (422, "invalid_request")),
        ("coldkey", address("a"), (422, "invalid_request")),
    ],
)
def test_a_ban_that_means_nobody_or_everybody_is_refused(
    sqlite_world, kind, subject, expected
):
    answer = order(sqlite_world, "bans", kind=kind, subject=subject)
    assert problem(answer) == expected
    assert log_of_the_boss(sqlite_world) == []


def test_an_address_that_failed_to_sign_is_let_in_again_by_order(
    sqlite_url, redis_url, tmp_path
):
    for world in governed(
        sqlite_url,
        tmp_path,
        redis_url=redis_url,
        auth_failures=1,
        peer="10.0.0.1",
        trusted_proxies=("10.0.0.1",),
    ):
        sent = {"X-Forwarded-For": "198.51.100.9"}
        for status in (401, 403):
            answer = world.client.post(
                "/submit_submission", json={}, headers=sent
            )
            assert answer.status_code == status
        lifted = order(
            world, "bans/lift", kind="address", subject="198.51.100.9"
        )
        assert lifted.status_code == 200
        assert world.client.get("/rounds", headers=sent).status_code == 200


def test_an_address_is_not_said_to_be_let_in_while_redis_is_away(
    sqlite_url, own_valkey, tmp_path
):
    for world in governed(
        sqlite_url, tmp_path, redis_url=own_valkey.url, auth_failures=1
    ):
        ban = {"kind": "address", "subject": "198.51.100.9"}
        assert order(world, "bans", **ban).status_code == 200
        own_valkey.stop()
        answer = order(world, "bans/lift", **ban)
        assert problem(answer) == (503, "unavailable")
        assert [row[3]["order"] for row in log_of_the_boss(world)] == ["ban"]


# --- orders as such ----------------------------------------------------------


@pytest.mark.parametrize(
    "reason", [None, "", "  ", "no", "x\0y", "a\nb", "x" * 501, " leading"]
)
def test_an_order_without_a_reason_is_refused(sqlite_world, reason):
    answer = order(sqlite_world, "rounds/open", reason=reason)
    assert problem(answer) == (422, "invalid_request")
    assert log_of_the_boss(sqlite_world) == []


def test_an_order_that_was_heard_is_not_heard_again(sqlite_world):
    world = sqlite_world
    path, body = "/admin/rounds/open", b'{"reason": "once is enough"}'
    headers = {
        "Content-Type": "application/json",
        **world.signed("boss", "POST", path, body),
    }
    answers = [
        world.client.post(path, content=body, headers=headers)
        for _ in range(2)
    ]
    assert answers[0].status_code == 200
    assert problem(answers[1]) == (409, "nonce_replayed")


def test_the_configuration_is_shown_without_its_passwords(
    sqlite_url, tmp_path
):
    for world in governed(
        sqlite_url,
        tmp_path,
        chain_url="wss://chain.example.org/key-of-mine?token=hunter2",
    ):
        path = "/admin/config"
        answer = world.client.get(
            path, headers=world.signed("boss", "GET", path)
        )
        shown = answer.json()["settings"]
        assert shown["chain_url"] == "wss://chain.example.org"
        assert shown["league_unit"] == 500
        for secret in ("hunter2", "key-of-mine", str(tmp_path)):
            assert secret not in answer.text
