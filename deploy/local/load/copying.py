"""Copying: many rows into a table, as fast as its engine takes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from services.api.db.base import Base
from services.api.db.session import encode

Row = Mapping[str, Any]


def copy(session: Session, table: type[Base], rows: Iterable[Row]) -> None:
    """Add rows of the same columns; PostgreSQL is sent them as a stream."""
    given = list(rows)
    if not given:
        return
    if session.get_bind().dialect.name != "postgresql":
        session.execute(insert(table), given)
        return
    names = list(given[0])
    command = f"COPY {table.__tablename__} ({', '.join(names)}) FROM STDIN"
    connection = session.connection().connection.driver_connection
    assert connection is not None  # noqa: S101 -- the session has begun
    with connection.cursor().copy(command) as stream:
        for row in given:
            stream.write_row([plain(row[name]) for name in names])


def plain(value: Any) -> Any:
    """A value as the driver writes it into a stream."""
    if isinstance(value, Enum):
        return value.value
    return encode(value) if isinstance(value, dict | list) else value
