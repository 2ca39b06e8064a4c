"""The bus: where an event is put on the queue that hears it."""

from __future__ import annotations

import redis
from kombu.entity import Exchange, Queue
from kombu.exceptions import KombuError

from quasar_core.contracts.events import Event
from quasar_core.errors import TransientError
from quasar_core.messaging.broker import celery_app, plain_client
from quasar_core.messaging.topology import queue_for
from quasar_core.messaging.wire import Sign, seal
from quasar_core.telemetry.metrics import (
    MESSAGES_PUBLISHED,
    PUBLISH_FAILURES,
)

BROKER_FAULTS = (KombuError, redis.RedisError, OSError)

ONE_MORE_TRY = {
    "max_retries": 1,
    "interval_start": 0.0,
    "interval_step": 0.1,
    "interval_max": 0.1,
}
"""A pooled connection may be stale after the broker's restart: the second
try has a fresh one. Longer patience is the caller's."""


class BusUnavailable(TransientError):
    """The broker did not take the message, or cannot be asked."""


class Bus:
    """Publishes events; safe to share between threads.

    With `worker` and `sign`, every message carries the worker's name and
    its signature over name and body.
    """

    def __init__(
        self,
        redis_url: str,
        sign: Sign | None = None,
        worker: str | None = None,
    ) -> None:
        self._app = celery_app(redis_url)
        self._client = plain_client(redis_url)
        self._sign = sign
        self._worker = worker

    def publish(self, event: Event, pool: str | None = None) -> None:
        """Put an event on its queue: `pool` for a job, none for a fact.

        At least once: raises BusUnavailable within a few seconds where the
        broker did not confirm, though it may have taken the message.
        """
        queue = queue_for(type(event), pool)
        try:
            self._app.send_task(
                event.event_name,
                kwargs=dict(seal(event, self._worker, self._sign)),
                task_id=str(event.event_id),
                queue=Queue(queue, Exchange(""), queue, no_declare=True),
                ignore_result=True,
                argsrepr="",
                kwargsrepr="",
                retry=True,
                retry_policy=ONE_MORE_TRY,
            )
        except BROKER_FAULTS as fault:
            PUBLISH_FAILURES.labels(event.event_name).inc()
            raise BusUnavailable(f"the broker is away: {fault}") from fault
        MESSAGES_PUBLISHED.labels(event.event_name).inc()

    def depth(self, queue: str) -> int:
        """How many messages wait in a queue; raises BusUnavailable."""
        try:
            return int(self._client.llen(queue))  # type: ignore[arg-type]
        except BROKER_FAULTS as fault:
            raise BusUnavailable(f"the broker is away: {fault}") from fault

    def ping(self) -> None:
        """Return where the broker answers; raises BusUnavailable."""
        try:
            self._client.ping()
        except BROKER_FAULTS as fault:
            raise BusUnavailable(f"the broker is away: {fault}") from fault

    def close(self) -> None:
        """Give back the connections."""
        self._client.close()
        self._app.close()
