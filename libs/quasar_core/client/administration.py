"""AdminClient: orders to the API, signed by an administrator's hotkey."""

from __future__ import annotations

from typing import TypeVar
from urllib.parse import urlencode
from uuid import UUID

import httpx2
from pydantic import BaseModel

from quasar_core.client.answers import parsed
from quasar_core.client.api import QuasarClient
from quasar_core.contracts.http import (
    Accepted,
    AdminLog,
    BanKind,
    BanOrder,
    Bans,
    BanView,
    ConfigView,
    LiftOrder,
    Order,
    RoundOrdered,
    SubmissionOrdered,
)

Answer = TypeVar("Answer", bound=BaseModel)


class AdminClient(QuasarClient):
    """What only an administrator may ask; each order is sent once.

    An order that may have arrived is not sent again: whether it did, the
    event log and the state of things tell.
    """

    def open_round(self, reason: str) -> RoundOrdered:
        """Let the next round open, and the open one end."""
        return self._order("rounds/open", Order(reason=reason), RoundOrdered)

    def close_round(self, number: int, reason: str) -> RoundOrdered:
        """Let this round end now."""
        path = f"rounds/{int(number)}/close"
        return self._order(path, Order(reason=reason), RoundOrdered)

    def move_submission(
        self, submission_id: UUID, order: str, reason: str
    ) -> SubmissionOrdered:
        """`requeue`, `invalidate`, `quarantine` or `release` it."""
        path = f"submissions/{submission_id}/{order}"
        return self._order(path, Order(reason=reason), SubmissionOrdered)

    def ban(
        self,
        kind: BanKind,
        subject: str,
        reason: str,
        hours: float | None = None,
    ) -> BanView:
        """Ban a hotkey or an address."""
        order = BanOrder(
            kind=kind, subject=subject, reason=reason, hours=hours
        )
        return self._order("bans", order, BanView)

    def lift(self, kind: BanKind, subject: str, reason: str) -> Accepted:
        """Lift a ban."""
        order = LiftOrder(kind=kind, subject=subject, reason=reason)
        return self._order("bans/lift", order, Accepted)

    def bans(self) -> Bans:
        """The bans that hold."""
        return self._read("/admin/bans", Bans)

    def log(
        self, cursor: str | None = None, limit: int | None = None
    ) -> AdminLog:
        """A page of what was ordered, the newest first."""
        asked = {"cursor": cursor, "limit": limit}
        given = {name: value for name, value in asked.items() if value}
        query = f"?{urlencode(given)}" if given else ""
        return self._read(f"/admin/log{query}", AdminLog)

    def config(self) -> ConfigView:
        """What the deployment runs with."""
        return self._read("/admin/config", ConfigView)

    def _order(
        self, path: str, order: BaseModel, model: type[Answer]
    ) -> Answer:
        body = order.model_dump_json(exclude_none=True).encode()
        return self._post(f"/admin/{path}", body, model, repeatable=False)

    def _read(self, path: str, model: type[Answer]) -> Answer:
        def signed() -> httpx2.Request:
            request = self._http.build_request("GET", path)
            request.headers.update(self._signature(request, b""))
            return request

        return parsed(self._send(signed), model)
