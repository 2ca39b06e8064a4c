"""Bans: hotkeys that may not write, and networks that may not even ask."""

from __future__ import annotations

import ipaddress
import math
import time
from collections.abc import Callable, Sequence
from datetime import datetime

from anyio import to_thread
from quasar_core.contracts.http import BanKind
from quasar_core.errors import Problem, ProblemCode
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from services.api.clients import Network, network_of
from services.api.db.records import Ban
from services.api.db.session import Database, DatabaseUnavailable

REFRESH_SECONDS = 2.0
MOST = 10_000


def standing(
    session: Session, now: datetime, kind: BanKind | None = None
) -> Sequence[Ban]:
    """The bans that hold now, the newest first."""
    query = (
        select(Ban)
        .where(or_(Ban.until.is_(None), Ban.until > now))
        .order_by(Ban.banned_at.desc(), Ban.subject)
        .limit(MOST)
    )
    if kind is not None:
        query = query.where(Ban.kind == kind)
    return session.scalars(query).all()


def check_hotkey(session: Session, hotkey: str, now: datetime) -> None:
    """Problem 403 for a hotkey that is banned now."""
    ban = session.get(Ban, (BanKind.HOTKEY, hotkey))
    if ban is not None:
        refuse(f"this hotkey is banned: {ban.reason}", ban.until, now)


def refuse(detail: str, until: datetime | None, now: datetime) -> None:
    """Problem 403 for a ban that has not ended."""
    if until is None:
        raise banned(detail)
    if until > now:
        raise banned(detail, math.ceil((until - now).total_seconds()))


def banned(detail: str, seconds: int | None = None) -> Problem:
    """A 403 for who was banned, for good or for so long."""
    headers = {} if seconds is None else {"Retry-After": str(seconds)}
    return Problem(403, ProblemCode.BANNED, detail, headers=headers)


class BannedNetworks:
    """The addresses that are banned, read again every few seconds.

    One process sees another's ban that much later. While the database is
    away, what was read last holds.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._clock = clock
        self._monotonic = monotonic
        self._due_at = 0.0
        self._until: dict[Network, datetime | None] = {}

    def forget(self) -> None:
        """Read again at the next question."""
        self._due_at = 0.0

    async def check(self, client: str) -> None:
        """Problem 403 for a client whose address is banned now."""
        if self._monotonic() >= self._due_at:
            # whoever asks meanwhile is judged by what is known
            self._due_at = self._monotonic() + REFRESH_SECONDS
            await to_thread.run_sync(self._read)
        own = network_of(client) if self._until else None
        if own is None:
            return
        now = self._clock()
        for prefix in {network.prefixlen for network in self._until}:
            if prefix > own.prefixlen:
                continue
            network = own.supernet(new_prefix=prefix)
            if network in self._until:
                refuse("this address is banned", self._until[network], now)

    def _read(self) -> None:
        try:
            with self._database.read() as session:
                rows = standing(session, self._clock(), BanKind.ADDRESS)
                self._until = {
                    ipaddress.ip_network(row.subject): row.until
                    for row in rows
                }
        except DatabaseUnavailable:
            return
