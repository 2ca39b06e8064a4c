"""Rounds, boards, standings and weights over time, on both engines."""

# pylint: disable=redefined-outer-name,protected-access

import pytest
from quasar_core.chain.chain import ChainUnavailable
from sqlalchemy import select

from services.api.db import eventlog
from services.api.db.models import Round, Standing
from services.api.db.tampering import findings
from services.api.leaderboard.turning import turn_rounds
from services.api.rounds import repository as rounds_repository
from tests.support.api import make_world
from tests.support.judged import Worker, a_source, play
from tests.support.wallets import address

ROUND = {"round_blocks": 100, "evaluating_blocks": 50, "min_improvement": 0.1}


@pytest.fixture
def world(database_url, tmp_path):
    for made in make_world(database_url, tmp_path, **ROUND):
        made.open_round()
        yield made


@pytest.fixture
def quick(sqlite_url, tmp_path):
    for made in make_world(
        sqlite_url, tmp_path, reenter_paid_places=False, **ROUND
    ):
        made.open_round()
        yield made


def statuses(world):
    rounds = world.client.get("/rounds").json()
    return {row["round_number"]: row["status"] for row in rounds}


def standings(world, number=1):
    return world.client.get(f"/rounds/{number}/standings").json()


def race(world, **seconds_by_name):
    ids = {}
    for name, seconds in seconds_by_name.items():
        world.register(name)
        ids[name] = play(world, name, seconds)
        world.blocks(1)
    return ids


def test_a_round_shows_everything_that_a_verdict_depends_on(world):
    current = world.client.get("/rounds/current").json()
    assert current["round_number"] == 1
    assert current["closes_at_block"] == current["opened_at_block"] + 100
    assert current["settings"]["min_improvement"] == 0.1
    assert current["settings"]["cosine_sim_threshold"] == 0.99
    assert current["receiver_hotkey"] == address("api")
    assert [league["smallest_length"] for league in current["leagues"]][
        :2
    ] == [500, 1_000]
    assert current["latest_finalised_round"] is None
    assert world.client.get("/rounds/1").json() == current
    assert world.client.get("/rounds/2").status_code == 404


def test_a_rounds_settings_are_frozen_when_it_opens(world, tmp_path):
    for again in make_world(
        world.doors.settings.database_url,
        tmp_path,
        **{**ROUND, "league_unit": 100},
    ):
        again.turn()
        settings = again.client.get("/rounds/current").json()["settings"]
        assert settings["league_unit"] == 500


def test_a_round_closes_drains_freezes_and_is_weighed(world):
    ids = race(world, fast=0.5, slow=1.0)
    world.blocks(100)
    world.turn()
    assert statuses(world) == {1: "evaluating", 2: "open"}
    world.turn()
    assert statuses(world) == {1: "finalised", 2: "open"}
    frozen = standings(world)
    assert frozen["final"]
    assert [row["submission_id"] for row in frozen["rows"]] == [
        str(ids["fast"]),
        str(ids["slow"]),
    ]
    assert [row["paid_place"] for row in frozen["rows"]] == [1, 2]
    shares = [row["share"] for row in frozen["rows"]]
    assert shares == pytest.approx([0.6 / 0.85, 0.25 / 0.85])
    current = world.client.get("/rounds/current").json()
    assert current["latest_finalised_round"] == 1
    world.turn()
    assert statuses(world) == {1: "finalised", 2: "open"}
    world.register("validator", permit=True)
    answer = world.post("validator", "/weights/reports", report(world))
    assert answer.status_code == 202, answer.text
    world.turn()
    assert statuses(world) == {1: "weighed", 2: "open"}


def report(world, **changes):
    return {
        "round_number": 1,
        "outcome": "set",
        "block": world.chain.block(),
        "netuid": 24,
        "weights": {"0": 0.6, "1": 0.4},
        "hotkeys": {"0": address("fast")},
        **changes,
    }


def test_two_schedulers_turn_a_round_once(world):
    race(world, fast=0.5)
    world.blocks(100)
    for _ in range(2):
        height, now = world.chain.block(), world.clock()
        settings = world.doors.settings
        turn_rounds(world.database, settings, height, now)
        turn_rounds(world.database, settings, height, now)
    with world.database.read() as session:
        numbers = select(Round.number).order_by(Round.number)
        assert session.scalars(numbers).all() == [1, 2]
        assert len(session.scalars(select(Standing)).all()) == 1


def test_what_a_round_does_not_finish_moves_on_with_its_order(quick):
    world = quick
    ids = race(world, fast=0.5)
    world.register("late")
    late = world.accepted("late")
    block = world.view(late)["commit_block"]
    job = world.take()
    world.blocks(100)
    world.turn()
    world.turn()
    assert statuses(world)[1] == "evaluating"
    assert world.submit("late").status_code == 200, "it will move there"
    world.blocks(50)
    world.turn()
    assert statuses(world)[1] == "finalised"
    view = world.view(late)
    assert (view["round_number"], view["commit_block"]) == (2, block)
    worker = Worker(world.clock)
    world.record(
        worker.started(job), worker.fetched(job), worker.benchmarked(job)
    )
    assert world.status(late) == "verifying"
    assert [row["submission_id"] for row in standings(world)["rows"]] == [
        str(ids["fast"])
    ]


def test_a_copy_stands_below_its_original_and_is_not_paid(quick):
    world = quick
    world.register("original")
    world.register("copy")
    first = play(world, "original", 1.0, text="same\n")
    world.blocks(1)
    second = play(world, "copy", 0.5, text="same\n")
    rows = standings(world)["rows"]
    assert [row["submission_id"] for row in rows] == [str(first), str(second)]
    assert rows[1]["unpaid_reason"] == "not_a_founder"
    assert [row["founded_by"] for row in rows] == [str(first)] * 2
    board = world.client.get("/leaderboard?league=200k").json()["rows"]
    assert [row["submission_id"] for row in board] == [str(first), str(second)]


def test_code_of_an_earlier_round_is_nobody_elses_in_a_later_one(world):
    world.register("author")
    world.register("copycat")
    play(world, "author", 1.0, text="same\n")
    with world.database.write() as session:
        row = rounds_repository.locked(session, 1)
        row.settings = {**row.settings, "reenter_paid_places": False}
    world.blocks(100)
    world.turn()
    world.turn()
    copy = play(world, "copycat", 0.5, text="same\n")
    (row,) = standings(world, 2)["rows"]
    assert row["submission_id"] == str(copy)
    assert row["unpaid_reason"] == "not_the_original"


def test_paid_places_compete_again_with_their_block_and_source(world):
    ids = race(world, fast=0.5, slow=1.0)
    block = world.view(ids["fast"])["commit_block"]
    world.blocks(100)
    world.turn()
    world.turn()
    again = world.client.get("/submissions?round=2").json()["submissions"]
    assert {row["hotkey"] for row in again} == {
        address("fast"),
        address("slow"),
    }
    world.register("newcomer")
    new = world.accepted("newcomer")
    job = world.take()
    assert job.submission_id == new, "live before re-runs"
    rerun = world.take()
    assert rerun.source == a_source("name = 'fast'\n")
    assert world.view(rerun.submission_id)["commit_block"] == block
    quota = world.submit("fast", target_sequence_length=500).json()["quota"]
    assert quota["judged_this_round"] == 1, "a re-run uses no quota up"


def test_a_round_without_entries_pays_nobody(quick):
    world = quick
    world.blocks(100)
    world.turn()
    world.turn()
    assert statuses(world)[1] == "finalised"
    assert standings(world)["rows"] == []
    world.blocks(100)
    world.turn()
    world.turn()
    world.turn()
    assert statuses(world) == {1: "weighed", 2: "finalised", 3: "open"}


def test_with_the_chain_away_rounds_wait_and_the_rest_goes_on(quick):
    world = quick
    world.register("a")
    world.blocks(100)
    world.doors.registry.gone = ChainUnavailable("away")
    submission_id = world.accepted("a")
    world.scheduler.tick()
    assert statuses(world) == {1: "open"}
    assert world.bus.take("benchmark.cpu").submission_id == submission_id
    # the newest block that is known of: the metagraph was read there
    assert world.client.get("/rounds/current").json()["current_block"] == 100
    world.doors.registry.gone = None
    world.turn()
    assert statuses(world)[1] == "evaluating"


# --- boards ------------------------------------------------------------------


def test_boards_have_intervals_claims_and_links(quick):
    world = quick
    ids = race(world, fast=0.5)
    board = world.client.get("/leaderboard").json()
    assert board["league_unit"] == 500
    (row,) = board["rows"]
    assert row["submission_id"] == str(ids["fast"])
    assert row["claimed_tokens_per_sec"] == 123.5
    assert row["tokens_per_sec_low"] <= row["tokens_per_sec"]
    assert row["tokens_per_sec"] <= row["tokens_per_sec_high"]
    assert row["run_id"].startswith("run-")
    assert world.client.get("/leaderboard?league=1M").json()["rows"] == []
    for bad in ("?league=7k", "?limit=0", "?round=0", "?limit=5000"):
        assert world.client.get(f"/leaderboard{bad}").status_code == 422


def test_who_pends_is_not_ranked(quick):
    world = quick
    world.register("a")
    world.accepted("a")
    worker, job = Worker(world.clock), world.take()
    world.record(worker.fetched(job), worker.benchmarked(job))
    assert world.client.get("/leaderboard").json()["rows"] == []
    assert standings(world)["rows"] == []


@pytest.mark.parametrize("path", ["/leaderboard", "/rounds/1/standings"])
def test_an_unchanged_board_is_not_sent_again(quick, path):
    world = quick
    race(world, fast=0.5)
    first = world.client.get(path)
    tag = {"If-None-Match": first.headers["etag"]}
    again = world.client.get(path, headers=tag)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    race(world, faster=0.25)
    changed = world.client.get(path, headers=tag)
    assert changed.status_code == 200
    assert len(changed.json()["rows"]) == 2


# --- weights -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"weights": {"0": 0.6}}, 422, "invalid_request"),
        ({"weights": {"0": 1.5, "1": -0.5}}, 422, "invalid_request"),
        ({"weights": {"0": float("nan")}}, 422, "invalid_request"),
        ({"weights": {"x": 1.0}}, 422, "invalid_request"),
        ({"weights": {}}, 422, "invalid_request"),
        ({"hotkeys": {"7": address("a")}}, 422, "invalid_request"),
        ({"netuid": 25}, 422, "invalid_request"),
        ({"block": None}, 422, "invalid_request"),
        ({"round_number": None}, 422, "invalid_request"),
        ({"round_number": 99}, 422, "invalid_request"),
        ({"round_number": 10**30}, 422, "invalid_request"),
        ({"round_number": -1}, 422, "invalid_request"),
        ({"round_number": 1}, 409, "conflict"),
        ({"outcome": "skipped"}, 422, "invalid_request"),
        ({"outcome": "won"}, 422, "invalid_request"),
    ],
)
def test_a_report_that_no_validator_can_mean_is_refused(
    quick, changes, status, code
):
    world = quick
    world.register("validator", permit=True)
    answer = world.post(
        "validator", "/weights/reports", report(world, **changes)
    )
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert world.client.get("/weights").json()["records"] == []


def test_only_a_validator_with_a_permit_reports(quick):
    world = quick
    world.register("miner")
    answer = world.post("miner", "/weights/reports", report(world))
    assert (answer.status_code, answer.json()["code"]) == (
        403,
        "not_permitted",
    )
    answer = world.post("stranger", "/weights/reports", report(world))
    assert answer.json()["code"] == "not_registered"


def test_reports_are_shown_newest_first_by_validator(world):
    for name in ("v1", "v2"):
        world.register(name, permit=True)
        skipped = report(
            world,
            round_number=None,
            outcome="skipped",
            reason="no round is\0final",
            weights={},
            hotkeys={},
            block=10**30,
        )
        answer = world.post(name, "/weights/reports", skipped)
        assert answer.status_code == 202, answer.text
    records = world.client.get("/weights").json()["records"]
    assert [r["validator_hotkey"] for r in records] == [
        address("v2"),
        address("v1"),
    ]
    one = world.client.get(f"/weights?validator={address('v1')}").json()
    assert [r["validator_hotkey"] for r in one["records"]] == [address("v1")]


# --- the log -----------------------------------------------------------------


def test_standings_name_a_block_of_the_log_that_covers_them(world):
    race(world, fast=0.5)
    world.scheduler.seal(world.clock())
    world.blocks(100)
    world.turn()
    world.turn()
    frozen = standings(world)
    with world.database.read() as session:
        newest = eventlog.newest_block(session)
        assert newest is not None
        assert newest.hash == frozen["log_hash"]
        assert newest.number == 2
        assert list(findings(session)) == []
        assert eventlog.unsealed(session) == 0
