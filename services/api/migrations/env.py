"""Alembic's way in: it runs on the connection that db/migrate.py hands it."""

from __future__ import annotations

# pylint: disable=no-member
# alembic.context gets its functions while a command runs
from typing import Any, Literal

from alembic import context
from sqlalchemy import Connection

from services.api.db import models, records
from services.api.db.base import Base
from services.api.db.types import UtcDateTime

TABLES = (models, records)
"""Imported so that the metadata knows every table."""


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write our types as what they are in SQL; a migration stays as it is."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def migrate(connection: Connection) -> None:
    """Run the migrations that alembic's command asks for."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        compare_type=True,
        render_item=render_item,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()


migrate(context.config.attributes["connection"])
