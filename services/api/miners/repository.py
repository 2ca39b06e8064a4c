"""Nonces that were used, by hotkeys that may write."""

from __future__ import annotations

from datetime import datetime

from quasar_core.contracts.http import BanKind
from sqlalchemy import bindparam, delete, or_, select
from sqlalchemy.orm import Session

from services.api.db.records import Ban, Nonce
from services.api.db.upsert import insert_into

_NOT_BANNED = select(
    bindparam("hotkey", type_=Nonce.hotkey.type),
    bindparam("nonce_ns", type_=Nonce.nonce_ns.type),
    bindparam("expires_at", type_=Nonce.expires_at.type),
).where(
    ~select(Ban.subject)
    .where(
        Ban.kind == BanKind.HOTKEY,
        Ban.subject == bindparam("hotkey"),
        or_(Ban.until.is_(None), Ban.until > bindparam("now")),
    )
    .exists()
)
_ADD = {
    engine: insert_into(engine, Nonce)
    .from_select(["hotkey", "nonce_ns", "expires_at"], _NOT_BANNED)
    .on_conflict_do_nothing()
    .returning(Nonce.__table__.c.nonce_ns)
    for engine in ("postgresql", "sqlite")
}


def add_nonce(
    session: Session,
    hotkey: str,
    nonce_ns: int,
    now: datetime,
    expires_at: datetime,
) -> bool:
    """Remember a nonce; False where it was used, or its hotkey is banned."""
    added = session.execute(
        _ADD[session.get_bind().dialect.name],
        {
            "hotkey": hotkey,
            "nonce_ns": nonce_ns,
            "now": now,
            "expires_at": expires_at,
        },
    )
    return added.first() is not None


def purge_nonces(session: Session, now: datetime) -> None:
    """Forget the nonces that are too old to be accepted again."""
    session.execute(delete(Nonce).where(Nonce.expires_at < now))
