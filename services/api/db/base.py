"""The root of the tables, and what their columns' types are."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Float, MetaData, TextClause, Uuid
from sqlalchemy.orm import DeclarativeBase

from services.api.db.types import Json, UtcDateTime


def only_where(condition: TextClause) -> dict[str, Any]:
    """The arguments of a partial index, for both engines."""
    return {"sqlite_where": condition, "postgresql_where": condition}


class Base(DeclarativeBase):
    """The root of all tables, with the columns' types by annotation."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime(),
        dict[str, Any]: Json,
        list[Any]: Json,
        UUID: Uuid(),
        float: Float(53),
    }
