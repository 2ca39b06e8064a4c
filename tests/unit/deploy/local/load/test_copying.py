from datetime import UTC, datetime

import pytest
from quasar_core.domain.submissions import Status
from sqlalchemy.orm import Session

from deploy.local.load.copying import copy, plain
from services.api.db.records import LogRow
from services.api.db.session import Database
from tests.support.postgres import (
    database_url,
    postgres_database_url,
    postgres_template,
    postgres_url,
    sqlite_template,
    sqlite_url,
)

__all__ = [
    "database_url",
    "postgres_database_url",
    "postgres_template",
    "postgres_url",
    "sqlite_template",
    "sqlite_url",
]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Status.SCORED, "scored"),
        ({"a": [1]}, '{"a":[1]}'),
        ([1, 2], "[1,2]"),
        (None, None),
        (1.5, 1.5),
    ],
)
def test_a_value_goes_into_a_stream_as_its_column_has_it(value, text):
    assert plain(value) == text


def test_rows_come_back_as_they_went_in_on_every_engine(database_url):
    at = datetime(2027, 1, 1, 12, tzinfo=UTC)
    rows = [
        {
            "kind": "moved",
            "actor": "a\tb\\",
            "from_status": None,
            "to_status": Status.QUEUED,
            "evidence": {"n": number},
            "occurred_at": at,
        }
        for number in range(3)
    ]
    database = Database(database_url)
    with Session(database.engine) as session, session.begin():
        copy(session, LogRow, rows)
        copy(session, LogRow, [])
    with database.read() as session:
        found = session.query(LogRow).order_by(LogRow.sequence).all()
        assert [row.evidence["n"] for row in found] == [0, 1, 2]
        first = found[0]
        assert (first.actor, first.to_status) == ("a\tb\\", "queued")
        assert (first.from_status, first.occurred_at) == (None, at)
    database.close()
