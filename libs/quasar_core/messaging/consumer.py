"""The consumer: takes the messages of one queue, one at a time."""

from __future__ import annotations

import itertools
import signal
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from celery.exceptions import Reject
from kombu.entity import Exchange, Queue

from quasar_core.contracts.events import Event
from quasar_core.errors import QuasarError, TransientError
from quasar_core.messaging.broker import (
    SOCKET_PREFIX,
    celery_app,
    plain_client,
    transport_options,
)
from quasar_core.messaging.dead import DeadLetters
from quasar_core.messaging.gate import (
    MAX_MESSAGE_BYTES,
    Gate,
    NotOurs,
    Reason,
)
from quasar_core.messaging.loop import POLL_SECONDS, LoopController
from quasar_core.messaging.topology import RECORDING
from quasar_core.messaging.transport import (
    GatedSocketTransport,
    GatedTransport,
)
from quasar_core.messaging.wire import Verify
from quasar_core.telemetry.logs import get_logger, log_context
from quasar_core.telemetry.metrics import (
    CRASHES,
    HANDLING_SECONDS,
    MESSAGES_HANDLED,
)

Handler = Callable[[Any], None]

VISIBILITY_SECONDS = 60
SWEEP_SECONDS = 5
BACKOFF_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)

log = get_logger(__name__)


class ConsumerFailed(QuasarError):
    """The consumer's loop ended by an error of its own; see the log."""


class Consumer:
    """Hears one queue and calls `handlers[type(event)](event)`.

    A job queue acknowledges on receipt: a job lost with its worker is
    noticed by its lease, never redelivered. `recording` acknowledges when
    its handler is done: a TransientError is tried again, with back-off,
    until it passes or the consumer stops; a message whose consumer died
    comes back after `visibility_seconds`, so handlers are idempotent.

    A message that is not of our making is set aside in `dead.<queue>`. An
    error of ours in a handler is logged and counted, and the consumer goes
    on (on `recording` the message is set aside with it).

    `on_stop` is called by the signal handler, in the main thread, after the
    stop was noted; it may raise to interrupt a handler. `until` is asked
    between two messages: where it says yes, `run` returns as after a stop.
    """

    def __init__(
        self,
        redis_url: str,
        queue: str,
        handlers: Mapping[type[Event], Handler],
        verify: Verify | None = None,
        *,
        on_stop: Callable[[], None] | None = None,
        until: Callable[[], bool] | None = None,
        max_message_bytes: int = MAX_MESSAGE_BYTES,
        visibility_seconds: float = VISIBILITY_SECONDS,
    ) -> None:
        self.queue = queue
        self.ready = threading.Event()
        self._late = queue == RECORDING
        self._handlers = dict(handlers)
        self._on_stop = on_stop
        self._until = until
        self._visibility_seconds = visibility_seconds
        self._stopping = False
        self._events = {event.event_name: event for event in handlers}
        for name in self._events:
            CRASHES.labels(name)
        self._gate = Gate(queue, self._events, verify, max_message_bytes)
        self._dead = DeadLetters(plain_client(redis_url), queue)
        self._app = self._make_app(redis_url)

    @property
    def stopping(self) -> bool:
        """Whether a stop was asked for."""
        return self._stopping

    def stop(self) -> None:
        """Ask `run` to return once the message in hand is done.

        May be called from a signal handler or from another thread.
        """
        # A plain flag: an Event's lock could be held by the very frame
        # that a signal handler has interrupted.
        self._stopping = True

    def run(self) -> None:
        """Consume until SIGTERM, SIGINT, `stop` or `until`.

        In the main thread the two signals are caught meanwhile. Where the
        broker is away it is tried again and again; what it lost is not
        missed. Raises ConsumerFailed where the loop itself broke.
        """
        previous = self._catch_signals()
        self._app.set_current()
        controller = LoopController(
            app=self._app,
            queues=[self.queue],
            stopping=self._leaves,
            unreachable=self._tell_unreachable,
            ready_callback=lambda _: self.ready.set(),
        )
        try:
            log.info("consumer.started", queue=self.queue)
            controller.start()
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)
            self._app.close()
        if controller.exitcode:
            raise ConsumerFailed(f"the consumer of {self.queue} broke down")
        log.info("consumer.stopped", queue=self.queue)

    def _leaves(self) -> bool:
        return self._stopping or (self._until is not None and self._until())

    # --- joining Celery ---------------------------------------------------

    def _make_app(self, redis_url: str) -> Any:
        url, transport = redis_url, GatedTransport
        if redis_url.startswith(SOCKET_PREFIX):
            url = redis_url.removeprefix("redis+")
            transport = GatedSocketTransport
        app = celery_app(
            url,
            broker_transport=transport,
            broker_transport_options=self._transport_options(),
            broker_connection_retry_on_startup=True,
            broker_channel_error_retry=True,
            task_queues=[
                Queue(self.queue, Exchange(""), self.queue, no_declare=True)
            ],
            task_default_queue=self.queue,
            task_create_missing_queues=False,
            worker_cancel_long_running_tasks_on_connection_loss=True,
            worker_enable_prefetch_count_reduction=False,
        )
        for event in self._handlers:
            # shared=False: else the handler of the consumer made last would
            # serve every application of the process.
            app.task(
                name=event.event_name,
                shared=False,
                acks_late=self._late,
                ignore_result=True,
            )(self._task_for(event))
        return app

    def _transport_options(self) -> dict[str, Any]:
        if not self._late:
            return transport_options(admit=self._admit, ack_emulation=False)
        return transport_options(
            admit=self._admit,
            visibility_timeout=self._visibility_seconds,
            unacked_key=f"unacked.{self.queue}",
            unacked_index_key=f"unacked_index.{self.queue}",
            unacked_mutex_key=f"unacked_mutex.{self.queue}",
            unacked_restore_interval=SWEEP_SECONDS,
            # our loop sweeps on each idle poll, so the throttle counts them
            unacked_restore_throttle=int(SWEEP_SECONDS / POLL_SECONDS),
        )

    def _task_for(self, event_type: type[Event]) -> Callable[..., None]:
        def task(
            body: dict[str, Any],
            worker: str | None = None,
            signature: str | None = None,
        ) -> None:
            del worker, signature  # the gate has checked both
            self._take(event_type.model_validate(body))

        return task

    def _admit(self, raw: bytes) -> dict[str, Any] | None:
        try:
            return self._gate.admit(raw)
        except NotOurs as fault:
            self._dead.put(raw, fault.reason, fault.detail)
            return None

    def _tell_unreachable(self, fault: Exception, seconds: float) -> None:
        log.warning(
            "broker.unreachable",
            queue=self.queue,
            fault=str(fault),
            next_try_seconds=seconds,
        )

    def _catch_signals(self) -> dict[int, Any]:
        if threading.current_thread() is not threading.main_thread():
            return {}
        return {
            number: signal.signal(number, self._on_signal)
            for number in (signal.SIGTERM, signal.SIGINT)
        }

    def _on_signal(self, _number: int, _frame: object) -> None:
        self.stop()
        if self._on_stop is not None:
            self._on_stop()

    # --- one message ------------------------------------------------------

    def _take(self, event: Event) -> None:
        name = event.event_name
        fields = {
            field: getattr(event, field)
            for field in ("event_id", "submission_id", "attempt_id")
            if hasattr(event, field)
        }
        started = time.monotonic()
        outcome = "stopped"
        try:
            with log_context(**fields):
                outcome = self._handle(event)
        finally:
            MESSAGES_HANDLED.labels(name, outcome).inc()
            HANDLING_SECONDS.labels(name).observe(time.monotonic() - started)

    def _handle(self, event: Event) -> str:
        """The outermost loop of a message: here our own errors end."""
        # pylint: disable=broad-exception-caught
        for tries in itertools.count():
            try:
                self._handlers[type(event)](event)
            except TransientError as fault:
                if not self._late:
                    log.warning("job.failed", fault=str(fault))
                    return "transient"
                self._wait_or_put_back(tries, fault)
            except Exception as fault:  # noqa: BLE001 -- ends nowhere else
                self._tell_crash(event, fault)
                return "crashed"
            else:
                break
        return "done"

    def _wait_or_put_back(self, tries: int, fault: Exception) -> None:
        seconds = BACKOFF_SECONDS[min(tries, len(BACKOFF_SECONDS) - 1)]
        log.warning(
            "message.again", fault=str(fault), next_try_seconds=seconds
        )
        deadline = time.monotonic() + seconds
        while not self._stopping and time.monotonic() < deadline:
            time.sleep(min(seconds, 0.1))
        if self._stopping:
            raise Reject(str(fault), requeue=True)

    def _tell_crash(self, event: Event, fault: Exception) -> None:
        CRASHES.labels(event.event_name).inc()
        log.error(
            "handler.crashed", event_name=event.event_name, exc_info=fault
        )
        if self._late:
            self._dead.put(
                event.model_dump_json().encode(),
                Reason.HANDLER_FAILED,
                f"{type(fault).__name__}: {fault}"[:500],
            )
