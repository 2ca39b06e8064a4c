import hashlib

import pytest

from services.api.db import eventlog
from services.api.db.records import LogRow
from services.api.db.session import Database
from services.api.db.tampering import findings
from tests.support.api import Moment
from tests.support.tampering import tamper


@pytest.fixture
def database(sqlite_url):
    """Two blocks of three rows each, and a row that none has sealed."""
    made = Database(sqlite_url)
    with made.write(sealing=True) as session:
        for kinds in ("abc", "def"):
            add(session, *kinds)
            eventlog.seal(session, Moment()())
        add(session, "g")
    yield made
    made.close()


def add(session, *kinds):
    for kind in kinds:
        eventlog.append(session, kind=kind, actor="test", now=Moment()())


def found(database):
    with database.read() as session:
        return [str(finding) for finding in findings(session)]


def test_a_log_as_it_was_sealed_has_nothing_to_find(database):
    assert found(database) == []


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (
            ["UPDATE event_log SET actor = 'x' WHERE sequence = 5"],
            ["row 5 of the log: was changed after block 2 had sealed it"],
        ),
        (
            ["DELETE FROM event_log WHERE sequence = 3"],
            ["row 3 of the log: is gone; block 1 had sealed it"],
        ),
        (
            [
                "UPDATE event_log SET sequence = 99 WHERE sequence = 1",
                "UPDATE event_log SET sequence = 1 WHERE sequence = 2",
                "UPDATE event_log SET sequence = 2 WHERE sequence = 99",
            ],
            [
                "row 1 of the log: is the row that was sealed as row 2",
                "row 2 of the log: is the row that was sealed as row 1",
            ],
        ),
        (
            ["UPDATE log_blocks SET sealed_at = sealed_at, row_count = 2"],
            [
                "block 1 of the log (rows 1 to 3): was itself changed",
                "block 2 of the log (rows 4 to 6): was itself changed",
            ],
        ),
        (
            ["DELETE FROM log_blocks WHERE number = 1"],
            [
                "block 1 of the log: is not there",
                (
                    "block 2 of the log (rows 4 to 6): does not follow the"
                    " block before it"
                ),
                "row 1 of the log: was slipped in after block 2 was sealed",
                "row 2 of the log: was slipped in after block 2 was sealed",
                "row 3 of the log: was slipped in after block 2 was sealed",
            ],
        ),
        (
            [
                (
                    "UPDATE log_blocks SET row_digests = replace("
                    "row_digests, '[4,\"', '[4,\"00') WHERE number = 2"
                )
            ],
            [
                "block 2 of the log (rows 4 to 6): was itself changed",
                "row 4 of the log: was changed after block 2 had sealed it",
            ],
        ),
    ],
)
def test_what_was_changed_is_named(database, statements, expected):
    tamper(database, *statements)
    assert found(database) == expected


def test_a_row_that_was_slipped_in_between_is_named(database):
    tamper(database, "UPDATE event_log SET sequence = -5 WHERE sequence = 2")
    tamper(database, "UPDATE event_log SET sequence = 2 WHERE sequence = 7")
    assert found(database) == [
        "row -5 of the log: is the row that was sealed as row 2",
        "row 2 of the log: was changed after block 1 had sealed it",
    ]


def test_a_block_without_digests_is_known_by_its_hash_alone(database):
    with database.read() as session:
        rows = [session.get(LogRow, number) for number in (1, 2, 3)]
        lines = b"".join(eventlog.canonical(row) for row in rows)
    digest = hashlib.sha256(bytes(32) + lines).hexdigest()
    tamper(
        database,
        "DELETE FROM log_blocks WHERE number = 2",
        f"UPDATE log_blocks SET row_digests = NULL, hash = '{digest}'",
    )
    assert found(database) == []
    tamper(database, "DELETE FROM event_log WHERE sequence = 2")
    assert found(database) == [
        "block 1 of the log (rows 1 to 3): does not hold what was sealed"
    ]
