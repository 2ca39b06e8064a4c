"""The secrets of a deployment: drawn once, and fit for what reads them."""

import json
import stat

import pytest
from quasar_core.chain.keys import KeyFault, worker_keypair
from quasar_core.messaging.access import worker_rules
from quasar_core.settings import CoreSettings
from typer.testing import CliRunner

import deploy.secret_files as made
from deploy.secret_files import write_secrets
from services.api.settings import DatabaseSettings

WORKERS = (("benchmark-1",), ("verifier-1",))


def contents(folder):
    return {
        path.relative_to(folder): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_second_call_changes_nothing(tmp_path):
    first = write_secrets(tmp_path, *WORKERS)
    before = contents(tmp_path)
    assert write_secrets(tmp_path, *WORKERS) == first
    assert contents(tmp_path) == before
    elsewhere = tmp_path / "other"
    assert write_secrets(elsewhere, *WORKERS) != first
    alike = set(contents(elsewhere).values()) & set(before.values())
    assert alike == {f"{made.NOBODY}\n"}


def test_whom_alerts_reach_is_the_operators_to_say(tmp_path):
    write_secrets(tmp_path, *WORKERS)
    path = tmp_path / "alert_webhook_url"
    assert path.read_text().strip().endswith(".invalid/")
    path.chmod(0o600)
    path.write_text("https://somebody/secret\n")
    write_secrets(tmp_path, *WORKERS)
    assert path.read_text() == "https://somebody/secret\n"


def test_a_worker_may_be_added_later(tmp_path):
    first = write_secrets(tmp_path, *WORKERS)
    more = write_secrets(tmp_path, ("benchmark-1", "benchmark-2"), ())
    assert more["benchmark-1"] == first["benchmark-1"]
    seed = tmp_path / "seeds" / "benchmark-2"
    assert worker_keypair(seed).ss58_address == more["benchmark-2"]


def test_the_folder_is_ours_alone_and_its_files_are_for_containers(tmp_path):
    folder = tmp_path / "secrets"
    write_secrets(folder, *WORKERS)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode)
        for path in folder.rglob("*")
        if path.is_file()
    }
    seeds = dict.fromkeys(("benchmark-1", "verifier-1"), 0o600)
    assert modes == dict.fromkeys(modes, 0o444) | seeds


def test_our_processes_read_them_from_the_files_that_settings_name(
    tmp_path, monkeypatch
):
    write_secrets(tmp_path, *WORKERS, broker="here:1", database="there")
    monkeypatch.setenv("QUASAR_REDIS_URL_FILE", f"{tmp_path}/redis_url")
    url_file = f"{tmp_path}/database_url"
    monkeypatch.setenv("QUASAR_DATABASE_URL_FILE", url_file)
    password = (tmp_path / "postgres_password").read_text().strip()
    told = DatabaseSettings()
    assert told.database_url == f"postgresql://quasar:{password}@there/quasar"
    assert CoreSettings().redis_url.startswith("redis://platform:")
    assert CoreSettings().redis_url.endswith("@here:1/0")


def test_the_brokers_users_have_their_rules_and_no_password_in_clear(tmp_path):
    write_secrets(tmp_path, *WORKERS, pool="h100")
    default, *users = (tmp_path / "broker_users").read_text().splitlines()
    assert default == "user default off"
    rules = {line.split()[1]: line.split(" ", 4)[4] for line in users}
    assert rules == {
        "platform": "~* &* +@all",
        "benchmark": " ".join(worker_rules("benchmark.h100")),
        "verifier": " ".join(worker_rules("verification.h100")),
    }
    for path in tmp_path.glob("*redis_url"):
        password = path.read_text().rpartition("@")[0].rpartition(":")[2]
        assert len(password) == 48
        assert password not in "".join(users)


def test_a_seed_that_others_can_read_is_refused(tmp_path):
    write_secrets(tmp_path, *WORKERS)
    (tmp_path / "seeds" / "verifier-1").chmod(0o644)
    with pytest.raises(KeyFault, match="open to others"):
        write_secrets(tmp_path, *WORKERS)


def test_the_command_prints_whose_results_count(tmp_path):
    told = CliRunner().invoke(command(), [str(tmp_path)])
    name, _, value = told.output.strip().partition("=")
    assert (told.exit_code, name) == (0, "QUASAR_WORKER_HOTKEYS")
    assert json.loads(value.strip("'")) == write_secrets(tmp_path, *WORKERS)


def test_the_command_says_what_is_wrong(tmp_path):
    (tmp_path / "file").write_text("")
    told = CliRunner().invoke(command(), [str(tmp_path / "file")])
    assert told.exit_code == 1
    assert "file" in told.output


def command():
    import typer

    app = typer.Typer()
    app.command()(made.main)
    return app
