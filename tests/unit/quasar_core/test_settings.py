import pytest
from pydantic import ValidationError
from quasar_core.settings import ChainSettings, CoreSettings, SecretFiles

from services.api.settings import DatabaseSettings
from services.api.starting import read_settings


@pytest.fixture(autouse=True)
def _nothing_else(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in ("QUASAR_REDIS_URL", "QUASAR_NETUID", "NETUID"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def secret(monkeypatch, tmp_path):
    """Write a file, and name it for a setting."""

    def write(name, content):
        path = tmp_path / name
        path.write_text(content)
        monkeypatch.setenv(f"{name}_FILE", str(path))

    return write


def test_a_setting_is_read_from_the_file_that_is_named_for_it(secret):
    secret("QUASAR_REDIS_URL", "redis://api:word@redis:6379/0\n")
    assert CoreSettings().redis_url == "redis://api:word@redis:6379/0"


def test_a_file_serves_a_settings_other_names_and_other_types_too(secret):
    secret("NETUID", "24")
    assert ChainSettings().netuid == 24


def test_a_structured_setting_is_read_as_json(secret):
    from services.api.settings import Settings

    hotkey = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
    secret("QUASAR_WORKER_HOTKEYS", f'{{"one": "{hotkey}"}}')
    secret("QUASAR_RECEIVER_HOTKEY", hotkey)
    settings = Settings()  # pyright: ignore[reportCallIssue]
    assert settings.worker_hotkeys == {"one": hotkey}


def test_what_the_environment_says_itself_counts_more(secret, monkeypatch):
    secret("QUASAR_REDIS_URL", "redis://from-the-file/0")
    monkeypatch.setenv("QUASAR_REDIS_URL", "redis://from-outside/0")
    assert CoreSettings().redis_url == "redis://from-outside/0"


def test_a_file_counts_more_than_what_lies_in_dot_env(secret, tmp_path):
    (tmp_path / ".env").write_text("QUASAR_REDIS_URL=redis://from-env/0\n")
    assert CoreSettings().redis_url == "redis://from-env/0"
    secret("QUASAR_REDIS_URL", "redis://from-the-file/0")
    assert CoreSettings().redis_url == "redis://from-the-file/0"


def test_a_setting_that_is_a_files_name_is_not_taken_for_a_secret(
    secret, tmp_path
):
    from services.benchmark_worker.settings import Settings

    secret("QUASAR_WORKER_SEED", "ff" * 32)
    expected = tmp_path / "QUASAR_WORKER_SEED"
    assert Settings().worker_seed_file == expected


def test_a_file_that_is_not_there_is_named(monkeypatch, capsys):
    monkeypatch.setenv("QUASAR_DATABASE_URL_FILE", "/not/there")
    with pytest.raises(ValidationError, match="No such file"):
        DatabaseSettings()
    with pytest.raises(SystemExit):
        read_settings(DatabaseSettings)
    told = capsys.readouterr().err
    assert told.startswith("QUASAR_DATABASE_URL_FILE: the file /not/there")


def test_a_file_that_holds_no_text_is_no_secret(monkeypatch, tmp_path):
    path = tmp_path / "noise"
    path.write_bytes(b"\xff\xfe\x00")
    monkeypatch.setenv("QUASAR_REDIS_URL_FILE", str(path))
    with pytest.raises(ValidationError, match="not text"):
        CoreSettings()


def test_a_source_without_files_has_nothing_to_say():
    assert SecretFiles(CoreSettings)() == {}
