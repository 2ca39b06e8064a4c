import pytest
from sqlalchemy import select

from services.api.db.records import Nonce, Worker
from services.api.db.session import Database
from services.api.db.upsert import insert_once, put
from tests.support.api import Moment


@pytest.fixture
def database(sqlite_url):
    made = Database(sqlite_url)
    yield made
    made.close()


def test_a_key_is_inserted_once(database):
    row = {"hotkey": "a", "nonce_ns": 7, "expires_at": Moment()()}
    with database.write() as session:
        assert insert_once(session, Nonce, **row)
        assert not insert_once(session, Nonce, **row)
        assert insert_once(session, Nonce, **{**row, "nonce_ns": 8})


def test_a_row_that_is_there_gets_the_new_values(database):
    row = {
        "name": "w",
        "role": "benchmark",
        "pool": "cpu",
        "last_seen_at": Moment()(),
        "environment": {},
    }
    with database.write() as session:
        put(session, Worker, **row)
        put(session, Worker, **{**row, "pool": "h100"})
    with database.read() as session:
        assert [w.pool for w in session.scalars(select(Worker))] == ["h100"]
