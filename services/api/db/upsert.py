"""Inserts that meet a row which is there already, on both engines."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import Executable
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from services.api.db.base import Base


def insert_once(session: Session, table: type[Base], **values: Any) -> bool:
    """Insert a row unless its key is taken; whether it was inserted.

    Two transactions that insert the same key wait for each other, so
    exactly one of them is told True.
    """
    statement = _insert_once(session.get_bind().dialect.name, table)
    return session.execute(statement, values).first() is not None


@cache
def _insert_once(engine: str, table: type[Base]) -> Executable:
    """Made once for each table, not for each row."""
    return (
        insert_into(engine, table)
        .on_conflict_do_nothing()
        .returning(*table.__table__.primary_key)
    )


def put(session: Session, table: type[Base], **values: Any) -> None:
    """Insert a row, or give the row with that key these values."""
    keys = [column.name for column in table.__table__.primary_key]
    others = {k: v for k, v in values.items() if k not in keys}
    session.execute(
        insert_into(session.get_bind().dialect.name, table)
        .values(**values)
        .on_conflict_do_update(index_elements=keys, set_=others)
    )


def insert_into(
    engine: str, table: type[Base]
) -> postgresql.Insert | sqlite.Insert:
    """An insert that knows of conflicts, in an engine's own words."""
    # a plain table: the mapper has no part in it
    plain: Any = table.__table__
    if engine == "postgresql":
        return postgresql.insert(plain)
    return sqlite.insert(plain)
