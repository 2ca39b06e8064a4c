import pytest
from sqlalchemy import select, text

from services.api.db.records import Nonce
from services.api.db.session import (
    BadDatabaseUrl,
    Database,
    DatabaseUnavailable,
    encode,
)
from tests.support.api import Moment


@pytest.fixture
def database(sqlite_url):
    made = Database(sqlite_url)
    yield made
    made.close()


def a_nonce():
    return Nonce(hotkey="alice", nonce_ns=1, expires_at=Moment()())


@pytest.mark.parametrize(
    "url", ["", "sqlite://", "sqlite:///:memory:", "mysql://x/y", "nonsense"]
)
def test_an_address_that_is_no_database_of_ours_is_refused(url):
    with pytest.raises(BadDatabaseUrl):
        Database(url)


def test_only_a_database_in_a_file_has_one(database, sqlite_url):
    assert f"sqlite:///{database.file}" == sqlite_url
    assert Database("postgresql://nobody@127.0.0.1:1/nothing").file is None


def test_a_write_is_committed_at_its_end_and_not_after_an_error(database):
    def write_and_fail():
        with database.write() as session:
            session.add(a_nonce())
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_and_fail()
    with database.read() as session:
        assert session.scalars(select(Nonce)).all() == []
    with database.write() as session:
        session.add(a_nonce())
    with database.read() as session:
        assert len(session.scalars(select(Nonce)).all()) == 1


def test_what_a_reader_changes_is_not_kept(database):
    with database.read() as session:
        session.add(a_nonce())
        session.flush()
    with database.read() as session:
        assert session.scalars(select(Nonce)).all() == []


def test_sqlite_runs_with_a_log_foreign_keys_and_full_durability(database):
    with database.read() as session:
        values = [
            session.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "foreign_keys", "synchronous")
        ]
    assert values == ["wal", 1, 2]


def test_a_writer_has_the_lock_from_its_beginning(database, monkeypatch):
    monkeypatch.setattr("services.api.db.session.BUSY_SECONDS", 0)
    impatient = Database(str(database.engine.url))
    with database.write() as writer, database.read() as reader:
        writer.execute(select(Nonce))
        reader.execute(select(Nonce))
        with pytest.raises(DatabaseUnavailable), impatient.write() as second:
            second.execute(select(Nonce))
    impatient.close()


def test_a_database_that_does_not_answer_is_unavailable():
    away = Database("postgresql://nobody@127.0.0.1:1/nothing")
    with pytest.raises(DatabaseUnavailable):
        away.ping()
    with pytest.raises(DatabaseUnavailable), away.write():
        raise AssertionError("written to nothing")
    away.close()


def test_json_is_stored_without_what_is_no_json():
    assert encode({"a": [1, 0.5]}) == '{"a":[1,0.5]}'
    with pytest.raises(ValueError, match="JSON"):
        encode(float("nan"))
