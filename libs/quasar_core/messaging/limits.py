"""Limits: how often a client may ask and a hotkey may write, in Redis.

Every web process counts in the same place. Where Redis does not answer,
nothing is limited: what must not be lost does not depend on it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import redis
import redis.asyncio
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import (
    MovingWindowRateLimiter,
    SlidingWindowCounterRateLimiter,
)
from limits.limits import RateLimitItemPerSecond
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from quasar_core.messaging.broker import without_socket_prefix
from quasar_core.telemetry.logs import get_logger
from quasar_core.telemetry.metrics import LIMIT_REFUSALS, LIMITS_OPEN

CONNECTIONS = 32
ANSWER_SECONDS = 0.25
REST_SECONDS = 1.0
"""How long a Redis that did not answer is left alone."""

MINUTE = 60
PREFIX = "quasar"

T = TypeVar("T")

log = get_logger("limits")


@dataclass(frozen=True)
class LimitRules:
    """How much is too much; 0 bounds nothing."""

    requests_per_minute: int = 120
    writes_per_minute: int = 30
    failures: int = 5
    failure_seconds: int = 600
    ban_seconds: int = 3_600


@dataclass(frozen=True)
class Allowance:
    """What is left of a limit, after this request was counted."""

    limit: int
    remaining: int
    reset_seconds: int
    allowed: bool


class RateLimits:
    """The counters of one deployment; belongs to one event loop.

    Nothing is connected before the first question.
    """

    def __init__(
        self,
        redis_url: str,
        rules: LimitRules,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.rules = rules
        self._url = without_socket_prefix(redis_url)
        self._monotonic = monotonic
        self._storage: RedisStorage | None = None
        self._pool: redis.asyncio.ConnectionPool | None = None
        self._away_until = -math.inf

    async def ask(self, client: str) -> Allowance | None:
        """Count a client's request; None where it is not bounded."""
        return await self._count(
            "client", client, self.rules.requests_per_minute
        )

    async def write(self, hotkey: str) -> Allowance | None:
        """Count a hotkey's write; None where it is not bounded."""
        return await self._count(
            "hotkey", hotkey, self.rules.writes_per_minute
        )

    async def failed(self, client: str) -> None:
        """Count a failed authentication; one too many bans the client."""
        if self.rules.failures:
            await self._asked(lambda: self._fail(client))

    async def banned_seconds(self, client: str) -> int:
        """For how long the client is banned still; 0 if it is not."""
        if not self.rules.failures:
            return 0
        return await self._asked(lambda: self._ban_left(client)) or 0

    async def pardon(self, client: str) -> bool:
        """Forget a client's failures, and the ban that came of them.

        False where Redis is away, and nothing was forgotten.
        """
        if not self.rules.failures:
            return True
        return await self._asked(lambda: self._forget(client)) or False

    async def close(self) -> None:
        """Give back the connections; they are made again when needed."""
        pool, self._pool, self._storage = self._pool, None, None
        if pool is not None:
            await pool.disconnect()

    # --- how it is asked ----------------------------------------------------

    async def _count(
        self, what: str, who: str, per_minute: int
    ) -> Allowance | None:
        if not per_minute:
            return None
        item = RateLimitItemPerMinute(per_minute, namespace=PREFIX)
        allowance = await self._asked(lambda: self._hit(item, what, who))
        if allowance is not None and not allowance.allowed:
            LIMIT_REFUSALS.labels(what).inc()
        return allowance

    async def _hit(
        self, item: RateLimitItem, what: str, who: str
    ) -> Allowance:
        windows = SlidingWindowCounterRateLimiter(self._opened())
        allowed = await windows.hit(item, what, who)
        stats = await windows.get_window_stats(item, what, who)
        return Allowance(
            limit=item.amount,
            remaining=max(stats.remaining, 0) if allowed else 0,
            reset_seconds=_seconds_until(stats.reset_time),
            allowed=allowed,
        )

    async def _fail(self, client: str) -> None:
        item = self._failures()
        windows = MovingWindowRateLimiter(self._opened())
        await windows.hit(item, "failures", client)
        stats = await windows.get_window_stats(item, "failures", client)
        if stats.remaining <= 0:
            await self._opened().incr(_ban_key(client), self.rules.ban_seconds)
            LIMIT_REFUSALS.labels("failures").inc()
            log.warning("client.banned", seconds=self.rules.ban_seconds)

    async def _ban_left(self, client: str) -> int:
        storage = self._opened()
        if not await storage.get(_ban_key(client)):
            return 0
        return _seconds_until(await storage.get_expiry(_ban_key(client)))

    async def _forget(self, client: str) -> bool:
        storage = self._opened()
        await storage.clear(_ban_key(client))
        await storage.clear(self._failures().key_for("failures", client))
        return True

    def _failures(self) -> RateLimitItem:
        rules = self.rules
        return RateLimitItemPerSecond(
            rules.failures, rules.failure_seconds, namespace=PREFIX
        )

    async def _asked(self, question: Callable[[], Awaitable[T]]) -> T | None:
        """The answer; None, within a moment, where Redis is away."""
        if self._monotonic() < self._away_until:
            LIMITS_OPEN.inc()
            return None
        try:
            return await question()
        except (redis.RedisError, OSError) as fault:
            self._away_until = self._monotonic() + REST_SECONDS
            LIMITS_OPEN.inc()
            log.warning("limits.open", fault=str(fault)[:200])
            return None

    def _opened(self) -> RedisStorage:
        if self._storage is None:
            # a pooled connection may be stale after a restart of Redis:
            # the second try has a fresh one
            options: dict[str, Any] = {
                "socket_connect_timeout": ANSWER_SECONDS,
                "socket_timeout": ANSWER_SECONDS,
                "retry": Retry(NoBackoff(), 1),
            }
            self._pool = redis.asyncio.BlockingConnectionPool.from_url(
                self._url,
                max_connections=CONNECTIONS,
                timeout=ANSWER_SECONDS,
                **options,
            )
            self._storage = RedisStorage(
                "async+redis://",  # the pool knows where
                implementation="redispy",
                key_prefix=f"{PREFIX}.limits",
                connection_pool=self._pool,  # type: ignore[arg-type]
            )
        return self._storage


def _ban_key(client: str) -> str:
    return f"banned/{client}"


def _seconds_until(moment: float) -> int:
    return max(math.ceil(moment - time.time()), 1)
