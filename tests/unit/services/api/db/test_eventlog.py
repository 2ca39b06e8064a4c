import pytest

from services.api.db import eventlog
from services.api.db.session import Database
from tests.support.api import Moment


@pytest.fixture
def database(sqlite_url):
    made = Database(sqlite_url)
    yield made
    made.close()


def add(session, *kinds):
    for kind in kinds:
        eventlog.append(session, kind=kind, actor="test", now=Moment()())


def test_rows_are_sealed_into_a_chain(database):
    with database.write(sealing=True) as session:
        assert eventlog.seal(session, Moment()()) == eventlog.GENESIS_HASH
        add(session, "a", "b")
        first = eventlog.seal(session, Moment()())
        assert eventlog.seal(session, Moment()()) == first
        add(session, "c")
        assert eventlog.unsealed(session) == 1
        second = eventlog.seal(session, Moment()())
        newest = eventlog.newest_block(session)
        assert newest is not None
        assert (newest.number, newest.previous_hash) == (2, first)
        assert (newest.first_sequence, newest.row_count) == (3, 1)
        assert newest.hash == second


def test_what_comes_after_the_end_that_was_seen_is_left_to_the_next_block(
    database,
):
    with database.write(sealing=True) as session:
        assert eventlog.last_sequence(session) == 0
        add(session, "a", "b")
        session.flush()
        until = eventlog.last_sequence(session)
        add(session, "c")
        first = eventlog.seal(session, Moment()(), until)
        assert eventlog.unsealed(session) == 1
        assert eventlog.seal(session, Moment()(), until) == first
        assert eventlog.seal(session, Moment()()) != first
        assert eventlog.unsealed(session) == 0


def test_the_log_has_another_version_after_each_row_and_each_block(database):
    seen = []
    with database.write(sealing=True) as session:
        seen.append(eventlog.version(session))
        for kind in "ab":
            add(session, kind)
            session.flush()
            seen.append(eventlog.version(session))
        eventlog.seal(session, Moment()())
        session.flush()
        seen.append(eventlog.version(session))
        assert eventlog.version(session) == seen[-1]
    assert seen == ["0-0", "0-1", "0-2", "2-0"]


def test_a_row_is_one_line_of_json(database):
    with database.write() as session:
        eventlog.append(
            session,
            kind="moved",
            actor="miner:x",
            now=Moment()(),
            from_status="queued",
            to_status="withdrawn",
            evidence={"b": 1, "a": "ü\n"},
        )
        session.flush()
        from services.api.db.records import LogRow

        row = session.get(LogRow, 1)
        assert row is not None
        assert eventlog.canonical(row) == (
            b'[1,null,null,"moved","miner:x","queued","withdrawn",null,'
            b'{"a":"\\u00fc\\n","b":1},"2027-01-02T03:04:05.678901+00:00"]\n'
        )
