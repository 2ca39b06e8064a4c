"""Nonces that were used, and the lock that makes a miner's writes queue."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy import delete, text
from sqlalchemy.orm import Session

from services.api.db.records import Nonce
from services.api.db.upsert import insert_once


def add_nonce(
    session: Session, hotkey: str, nonce_ns: int, expires_at: datetime
) -> bool:
    """Remember a nonce; False where it was used before."""
    return insert_once(
        session,
        Nonce,
        hotkey=hotkey,
        nonce_ns=nonce_ns,
        expires_at=expires_at,
    )


def purge_nonces(session: Session, now: datetime) -> None:
    """Forget the nonces that are too old to be accepted again."""
    session.execute(delete(Nonce).where(Nonce.expires_at < now))


def lock_owner(session: Session, owner: str) -> None:
    """Let the writes of one coldkey or hotkey follow one another.

    SQLite's writers do anyway.
    """
    if session.get_bind().dialect.name != "postgresql":
        return
    digest = hashlib.sha256(owner.encode()).digest()
    key = int.from_bytes(digest[:8], "big", signed=True)
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
