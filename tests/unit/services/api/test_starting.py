import pytest
from prometheus_client import REGISTRY

from services.api import starting
from services.api.settings import DatabaseSettings, Settings
from tests.support.api import settings_for
from tests.support.wallets import address


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """No .env of this folder, no variables of this shell."""
    monkeypatch.chdir(tmp_path)
    for name in ("QUASAR_DATABASE_URL", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)


def test_settings_that_are_wrong_are_named_with_their_variable(
    elsewhere, monkeypatch, capsys
):
    monkeypatch.setenv("QUASAR_RECEIVER_HOTKEY", "me")
    monkeypatch.setenv("NETUID", "-1")
    with pytest.raises(SystemExit) as ended:
        starting.read_settings(Settings)
    assert ended.value.code == starting.BAD_SETTINGS
    told = capsys.readouterr().err
    assert "QUASAR_RECEIVER_HOTKEY: " in told
    assert "NETUID: " in told


def test_a_migration_needs_a_database_and_nothing_else(elsewhere, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://x/y")
    settings = starting.read_settings(DatabaseSettings)
    assert settings.database_url == "postgresql://x/y"


def test_production_takes_no_short_cut():
    with pytest.raises(ValueError, match="WORKER_HOTKEYS"):
        settings_for("sqlite:///x.db", environment="production")
    known = {"worker_hotkeys": {"w": address("w")}}
    with pytest.raises(ValueError, match="file://"):
        settings_for(
            "sqlite:///x.db",
            environment="production",
            git_schemes=("file",),
            **known,
        )
    settings_for("sqlite:///x.db", environment="production", **known)


@pytest.mark.parametrize(
    "url", ["sqlite:///{tmp}/empty.db", "mysql://nobody/nothing"]
)
def test_a_process_does_not_start_on_a_database_of_another_kind(url, tmp_path):
    settings = settings_for(url.format(tmp=tmp_path))
    with pytest.raises(SystemExit) as ended:
        starting.start("api.test", settings)
    assert ended.value.code == starting.NOT_READY


def test_a_database_that_is_away_is_waited_for():
    settings = settings_for("postgresql://nobody@127.0.0.1:1/nothing")
    doors = starting.start("api.test", settings)
    doors.close()


def test_a_process_starts_on_a_migrated_database(sqlite_url):
    starting.start("api.test", settings_for(sqlite_url)).close()
    free = REGISTRY.get_sample_value(
        "quasar_disk_free_bytes", {"place": "database"}
    )
    assert free is not None
    assert free > 0
