"""Column types that read back the same on every engine."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer
from sqlalchemy.types import TypeDecorator

SequenceNumber = BigInteger().with_variant(Integer(), "sqlite")
"""A growing key; SQLite counts only columns that it calls INTEGER."""

Json = JSON(none_as_null=True)
"""Text that both engines keep as it was written, and no `null` values."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment, kept in UTC; SQLite forgets the zone, this does not."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        """The moment in UTC; raises ValueError for one without a zone."""
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone")
        return value.astimezone(UTC)

    def process_result_value(
        self, value: Any | None, dialect: Dialect
    ) -> datetime | None:
        """The moment as it was written, in UTC."""
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            return value.replace(tzinfo=UTC)
        return value.astimezone(UTC)

    def process_literal_param(
        self, value: datetime | None, dialect: Dialect
    ) -> str:
        """The moment as SQL text shows it."""
        return repr(self.process_bind_param(value, dialect))

    @property
    def python_type(self) -> type[datetime]:
        """What Python sees."""
        return datetime
