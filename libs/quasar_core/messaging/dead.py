"""Dead letters: what was set aside, kept for an operator to look at."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import redis

from quasar_core.messaging.gate import Reason
from quasar_core.telemetry.logs import get_logger
from quasar_core.telemetry.metrics import MESSAGES_SET_ASIDE

KEPT_LETTERS = 1_000
KEPT_BYTES = 64 * 1024

log = get_logger(__name__)


def dead_queue(queue: str) -> str:
    """The Redis list that keeps what was set aside from `queue`."""
    return f"dead.{queue}"


class DeadLetters:
    """The newest thousand messages of one queue that nobody would act on.

    Each is one JSON object: reason, detail, at, bytes, and the head of the
    message as text.
    """

    def __init__(self, client: redis.Redis, queue: str) -> None:
        self._client = client
        self._queue = queue
        for reason in Reason:
            MESSAGES_SET_ASIDE.labels(queue, reason.value)

    def put(self, raw: bytes, reason: Reason, detail: str) -> None:
        """Keep a message and count it; never raises for the broker.

        Where the broker does not take it, the log line is all that stays.
        """
        MESSAGES_SET_ASIDE.labels(self._queue, reason.value).inc()
        log.warning(
            "message.set_aside",
            queue=self._queue,
            reason=reason.value,
            detail=detail,
            size_bytes=len(raw),
        )
        letter = json.dumps(
            {
                "reason": reason.value,
                "detail": detail,
                "at": datetime.now(UTC).isoformat(),
                "bytes": len(raw),
                "raw": raw[:KEPT_BYTES].decode("utf-8", "backslashreplace"),
            }
        )
        name = dead_queue(self._queue)
        try:
            with self._client.pipeline() as pipe:
                pipe.lpush(name, letter)
                pipe.ltrim(name, 0, KEPT_LETTERS - 1)
                pipe.execute()
        except redis.RedisError as fault:
            log.critical("message.lost", queue=self._queue, fault=str(fault))
