"""The loop: Celery's worker with what we need of it, and nothing more.

One task at a time in the calling thread, over a blocking loop. Celery's own
event loop is one per process and would hand a message to another consumer's
hub; and where it runs a task inline, it tells the broker that the message
was received only after the task has ended.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from celery.bootsteps import RUN
from celery.exceptions import WorkerShutdown
from celery.worker import WorkController
from celery.worker.consumer import Consumer as CeleryConsumer

POLL_SECONDS = 0.25
"""How long a stop goes unnoticed. A message does not wait for it: the
broker's answer to BRPOP wakes the poll."""

RECONNECT = {"interval_start": 0.1, "interval_step": 0.3, "interval_max": 2.0}


class LoopConsumer(CeleryConsumer):
    """Celery's consumer, left as soon as its controller says so."""

    controller: LoopController

    def leave_if_stopping(self) -> None:
        """Raises WorkerShutdown once a stop was asked for."""
        if self.controller.stopping():
            raise WorkerShutdown(0)

    def loop(  # pylint: disable=method-hidden # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        obj: Any,
        connection: Any,
        consumer: Any,
        blueprint: Any,
        *_rest: Any,
    ) -> None:
        """Take messages until a stop, or until the connection breaks."""
        del obj
        consumer.on_message = self.create_task_handler()
        consumer.consume()
        self.on_ready()
        while blueprint.state == RUN and self.connection:
            self.leave_if_stopping()
            with suppress(TimeoutError):
                connection.drain_events(timeout=POLL_SECONDS)

    def ensure_connected(self, conn: Any) -> Any:
        """Connect, however long the broker is away; a stop ends it."""
        return conn.ensure_connection(
            self._tell_unreachable,
            None,
            callback=self.leave_if_stopping,
            **RECONNECT,
        )

    def _tell_unreachable(self, fault: Exception, interval: float) -> None:
        self.controller.unreachable(fault, interval)


class LoopController(WorkController):
    """Celery's worker, without signal handlers and talk between workers.

    `stopping()` says whether to leave; `unreachable(fault, seconds)` is
    told of each failed attempt to connect.
    """

    def __init__(
        self,
        *,
        stopping: Callable[[], bool],
        unreachable: Callable[[Exception, float], None],
        **options: Any,
    ) -> None:
        self.stopping = stopping
        self.unreachable = unreachable
        super().__init__(
            pool="solo",
            concurrency=1,
            prefetch_multiplier=1,
            use_eventloop=False,
            consumer_cls=LoopConsumer,
            without_mingle=True,
            without_gossip=True,
            without_heartbeat=True,
            **options,
        )
