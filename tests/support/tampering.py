"""Somebody with the database's own password: what triggers cannot stop."""

from __future__ import annotations

from sqlalchemy import text

from services.api.db.session import Database

GUARDED = ("event_log", "log_blocks", "standings")


def tamper(database: Database, *statements: str) -> None:
    """Run statements as an owner would who takes the guards off first."""
    with database.engine.begin() as connection:
        for table in GUARDED:
            if database.is_sqlite:
                for deed in ("update", "delete"):
                    connection.execute(
                        text(f"DROP TRIGGER IF EXISTS {table}_no_{deed}")
                    )
            else:
                connection.execute(
                    text(
                        f"DROP TRIGGER IF EXISTS {table}_append_only"
                        f" ON {table}"
                    )
                )
        for statement in statements:
            connection.execute(text(statement))
