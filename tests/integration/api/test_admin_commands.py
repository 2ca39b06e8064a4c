"""`quasar admin` against the real API: a wallet, signed HTTP, a server."""

# pylint: disable=redefined-outer-name

import json
from uuid import UUID

import pytest
from quasar_core.chain.wallets import create_wallet
from typer.testing import CliRunner

from services.api.cli import admin
from tests.support.api import make_world
from tests.support.api_server import served
from tests.support.judged import play
from tests.support.wallets import address

REASON = ("--reason", "a drill of commands")


@pytest.fixture
def office(sqlite_url, tmp_path, monkeypatch):
    """A world whose owner has a wallet, and his commands over HTTP."""
    wallets = tmp_path / "wallets"
    owner = create_wallet("owner", "default", wallets)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QUASAR_WALLET_PATH", str(wallets))
    for world in make_world(
        sqlite_url, tmp_path, admin_hotkeys=(owner.hotkey,)
    ):
        world.open_round()
        with served(world.client.app) as url:
            monkeypatch.setenv("QUASAR_API_URL", url)
            yield world, lambda *words: CliRunner().invoke(admin, words)


def last(done):
    """What the command printed; the server beside it logs there, too."""
    return json.loads(done.stdout.splitlines()[-1])


def told(done):
    assert done.exit_code == 0, done.output
    return last(done)


def test_an_administrator_orders_from_the_command_line(office):
    world, run = office
    world.register("a")
    submission_id = str(play(world, "a"))
    for order, status in (
        ("quarantine", "quarantined"),
        ("release", "scored"),
        ("invalidate", "invalidated"),
    ):
        answer = told(run(order, submission_id, *REASON, "--json"))
        assert answer["to_status"] == status
        assert world.status(UUID(submission_id)) == status
    ban = ("hotkey", address("a"), *REASON, "--json")
    assert told(run("ban", *ban, "--hours", "2"))["until"]
    assert len(told(run("bans", "--json"))["bans"]) == 1
    assert address("a") in run("bans").stdout
    assert told(run("unban", *ban)) == {"accepted": True}
    assert told(run("close-round", "1", *REASON, "--json"))["status"] == "open"
    world.turn()
    assert "round_number: 2" in run("open-round", *REASON).stdout
    page = told(run("log", "--limit", "2", "--json"))
    later = ("--cursor", page["next_cursor"], "--json")
    orders = [*page["orders"], *told(run("log", *later))["orders"]]
    assert [one["order"] for one in orders] == [
        *("open-round", "close-round", "lift", "ban"),
        *("invalidate", "release", "quarantine"),
    ]
    assert {one["reason"] for one in orders} == {REASON[1]}
    assert address("a") in run("log").stdout
    for words in (("config",), ("config", "show")):
        assert "league_unit = 500" in run(*words).stdout


def test_what_is_refused_is_said_in_a_line_or_as_json(office, tmp_path):
    world, run = office
    world.register("a")
    waiting = str(world.accepted("a"))
    done = run("requeue", waiting, *REASON)
    assert done.exit_code == 2
    assert "queued" in done.stderr
    done = run("requeue", waiting, "--reason", "x", "--json")
    assert last(done)["error"]["code"] == "invalid_request"
    assert run("requeue", waiting).exit_code == 2, "a reason must be given"
    create_wallet("other", "default", tmp_path / "wallets")
    done = run("config", "--wallet-name", "other", "--json")
    assert done.exit_code == 2
    assert last(done)["error"]["code"] == "not_permitted"
    done = run("config", "--wallet-name", "nobody", "--json")
    assert last(done)["error"]["code"] == "invalid_request"
    done = run("config", "--api-url", "http://127.0.0.1:1", "--json")
    assert last(done)["error"]["code"] == "unavailable"


def test_help_names_every_order(office):
    _, run = office
    shown = run("--help").stdout
    for command in (
        *("open-round", "close-round", "requeue", "invalidate", "config"),
        *("quarantine", "release", "ban", "unban", "bans", "log", "rebuild"),
    ):
        assert command in shown
        assert "--json" in run(command, "--help").stdout
