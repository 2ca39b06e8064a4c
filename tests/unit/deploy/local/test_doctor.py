"""The database's row, and which part looks at what."""

import pytest

from deploy.local.doctor import EXAMINATIONS, check_database, examine
from deploy.local.parts import Part
from services.api.db.migrate import upgrade
from services.api.db.session import Database
from services.api.settings import DatabaseSettings
from tests.support.valkey import free_port


@pytest.fixture(autouse=True)
def _alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def found_at(url):
    (found,) = check_database(DatabaseSettings(database_url=url))
    return found


def test_a_database_that_is_configured_nowhere_is_not_looked_for():
    assert list(check_database(DatabaseSettings())) == []


def test_a_migrated_database_is_well_and_an_empty_one_is_not(tmp_path):
    url = f"sqlite:///{tmp_path}/quasar.db"
    (tmp_path / "quasar.db").touch()
    assert "run `quasar api migrate`" in found_at(url).detail
    database = Database(url)
    upgrade(database)
    database.close()
    assert found_at(url).state == "ok"


def test_looking_for_a_file_makes_none(tmp_path):
    found = found_at(f"sqlite:///{tmp_path}/quasar.db")
    assert found.detail == f"there is no file {tmp_path}/quasar.db"
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_away_and_an_address_of_nothing_are_told():
    away = found_at(f"postgresql://a:b@127.0.0.1:{free_port()}/c")
    assert away.detail == "the database does not answer"
    assert "mysql is not SQLite or PostgreSQL" in found_at("mysql://a").detail


def test_each_part_has_an_examination():
    assert set(EXAMINATIONS) == set(Part)


def test_settings_that_are_wrong_leave_the_rest_to_be_told(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("QUASAR_WORKER_NAME", "Not A Name")
    away = f"http://127.0.0.1:{free_port()}"
    given = {"api_url": away, "chain_url": f"local://{tmp_path}/none.json"}
    found = examine(Part.OWNER, given)
    assert [(each.name, each.state) for each in found] == [
        ("settings", "FAIL"),
        ("api", "FAIL"),
        ("chain", "FAIL"),
        ("wallet", "FAIL"),
    ]
