"""The turnstile: who asks too often, or failed too often, waits outside."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any

from quasar_core.errors import Problem, ProblemCode
from quasar_core.messaging.limits import Allowance, RateLimits
from starlette.types import Scope

from services.api.clients import Proxies
from services.api.miners.bans import BannedNetworks, banned

EXEMPT = frozenset({"/health/live", "/health/ready", "/metrics"})
"""What the operator's own machines ask, and often."""

RATE_HEADERS = (
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "RateLimit-Policy",
)
"""What an answer tells of its tightest limit, where there is one."""

MINUTE = 60

State = MutableMapping[str, Any]


@dataclass(frozen=True)
class Turnstile:
    """What stands before every request; nothing is read of it before."""

    limits: RateLimits | None = None
    proxies: Proxies = field(default_factory=Proxies)
    banned_networks: BannedNetworks | None = None

    async def admit(self, scope: Scope) -> None:
        """Let a request in, or raise Problem: banned, or too often."""
        client = self.proxies.client_of(scope)
        state = scope.setdefault("state", {})
        state["client"] = client
        if scope["path"] in EXEMPT:
            return
        if self.banned_networks is not None:
            await self.banned_networks.check(client)
        if self.limits is None:
            return
        seconds = await self.limits.banned_seconds(client)
        if seconds:
            raise banned(
                f"this address failed to sign too often; it may come back in"
                f" {seconds} s",
                seconds,
            )
        note(state, await self.limits.ask(client), "this address may send")


def note(state: State, allowance: Allowance | None, who: str) -> None:
    """Keep the tightest limit of a request, to tell it in the answer.

    Raises Problem 429 where the limit is used up.
    """
    if allowance is None:
        return
    kept = state.get("allowance")
    if kept is None or allowance.remaining < kept.remaining:
        state["allowance"] = allowance
    if not allowance.allowed:
        raise Problem(
            429,
            ProblemCode.RATE_LIMITED,
            f"{who} {allowance.limit} in a minute; come again in"
            f" {allowance.reset_seconds} s",
            headers={"Retry-After": str(allowance.reset_seconds)},
        )


def headers_of(state: State) -> dict[str, str]:
    """The RateLimit-* headers of an answer."""
    allowance: Allowance | None = state.get("allowance")
    if allowance is None:
        return {}
    told = (
        str(allowance.limit),
        str(allowance.remaining),
        str(allowance.reset_seconds),
        f"{allowance.limit};w={MINUTE}",
    )
    return dict(zip(RATE_HEADERS, told, strict=True))
