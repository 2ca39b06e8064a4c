import json

import pytest
from typer.testing import CliRunner

from services.api.cli import api
from services.api.db import migrate


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QUASAR_DATABASE_URL", "sqlite:///made.db")
    return lambda *arguments: CliRunner().invoke(api, arguments)


def test_a_database_is_migrated_forth_and_back(run):
    done = run("migrate", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == {"from": None, "to": migrate.head()}
    assert (
        f"{migrate.head()} -> empty" in run("migrate", "base", "--down").stdout
    )


def test_an_address_that_is_none_is_said_in_one_line(run, monkeypatch):
    monkeypatch.setenv("QUASAR_DATABASE_URL", "mysql://x/y")
    done = run("migrate")
    assert done.exit_code == 1
    assert done.stderr.count("\n") == 1
    assert "SQLite or PostgreSQL" in done.stderr


def test_help_names_the_processes_and_a_draft_needs_a_message(run):
    shown = run("--help").stdout
    for command in ("web", "recorder", "scheduler", "migrate", "migration"):
        assert command in shown
    assert run("migration", "--message", " ").exit_code == 2
