from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy.dialects import postgresql, sqlite

from services.api.db.types import UtcDateTime

ENGINES = [sqlite.dialect(), postgresql.dialect()]
NOON = datetime(2027, 1, 2, 12, tzinfo=timezone(timedelta(hours=2)))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_moment_is_written_in_utc(engine):
    written = UtcDateTime().process_bind_param(NOON, engine)
    assert written == NOON
    assert written.tzinfo is UTC
    assert UtcDateTime().process_bind_param(None, engine) is None


@pytest.mark.parametrize("engine", ENGINES)
def test_a_moment_without_a_zone_is_nobodys_moment(engine):
    with pytest.raises(ValueError, match="time zone"):
        UtcDateTime().process_bind_param(NOON.replace(tzinfo=None), engine)


def test_a_moment_is_read_in_utc_whether_the_engine_kept_the_zone_or_not():
    kind, engine = UtcDateTime(), sqlite.dialect()
    naive = datetime(2027, 1, 2, 10)  # noqa: DTZ001 -- as SQLite gives it
    assert kind.process_result_value(naive, engine) == NOON
    assert kind.process_result_value(NOON, engine).tzinfo is UTC
    assert kind.process_result_value(None, engine) is None


def test_a_moment_can_be_shown_in_sql():
    shown = UtcDateTime().process_literal_param(NOON, sqlite.dialect())
    assert "2027" in shown
    assert UtcDateTime().python_type is datetime
