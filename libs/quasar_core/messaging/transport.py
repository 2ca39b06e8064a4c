"""The transport: kombu's own for Redis, with our gate where bytes arrive.

kombu parses what it pops before it asks anybody, and takes a message that
does not parse, or lacks a field, for a broken connection: the message is
gone and the consumer reconnects. Here the raw bytes go through the gate
first, and what it refuses is set aside.
"""

from __future__ import annotations

# kombu leaves what no queue of Redis needs unimplemented
# pylint: disable=abstract-method,protected-access
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty
from typing import Any, Literal

import redis
from kombu.transport import redis as kombu_redis

Admit = Callable[[bytes], "dict[str, Any] | None"]


class GatedChannel(kombu_redis.Channel):
    """A channel whose transport option `admit` sees each message first.

    `admit(raw)` gives the message to deliver, or None where it was set
    aside.
    """

    admit: Admit
    torn = False
    """Whether the broker went away before it heard of an acknowledgement."""

    from_transport_options = (
        *kombu_redis.Channel.from_transport_options,
        "admit",
    )

    def basic_ack(self, delivery_tag: str, multiple: bool = False) -> None:
        """Acknowledge; where the broker is away, the channel is torn.

        Celery only logs such an error. The channel would go on counting the
        message as one in hand, and never ask the broker for another.
        """
        with self._tearing():
            super().basic_ack(delivery_tag, multiple)

    def basic_reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """The same for what is set aside."""
        with self._tearing():
            super().basic_reject(delivery_tag, requeue)

    @contextmanager
    def _tearing(self) -> Iterator[None]:
        try:
            yield
        except self.connection_errors:
            self.torn = True
            raise

    def _brpop_read(self, **options: Any) -> Literal[True]:
        try:
            popped = self._popped(options)
            if popped is None:
                raise Empty
            queue, raw = popped
            self._queue_cycle.rotate(queue)
            message = self.admit(raw)
            if message is None:
                raise Empty
            self.connection._deliver(  # noqa: SLF001 -- as kombu's does
                message, queue
            )
            return True
        finally:
            # Nothing is asked of the broker until the handler is done:
            # a busy worker takes no second message.
            self._in_poll = None

    def _popped(self, options: dict[str, Any]) -> tuple[str, bytes] | None:
        connection = self.client.connection
        try:
            reply = self.client.parse_response(connection, "BRPOP", **options)
        except self.connection_errors:
            connection.disconnect()
            raise
        if not reply:
            return None
        queue, raw = reply
        return queue.decode(), raw


class GatedTransport(kombu_redis.Transport):
    """Redis over TCP (with or without TLS), gated."""

    Channel = GatedChannel
    brpop_timeout = 0.5  # a stop waits for the BRPOP under way

    def drain_events(
        self, connection: Any, timeout: float | None = None
    ) -> None:
        """Wait for a message; a torn channel is an error of the connection.

        So Celery connects anew, and the message comes again.
        """
        if any(channel.torn for channel in self.channels or ()):
            raise redis.ConnectionError("the broker heard no acknowledgement")
        super().drain_events(connection, timeout)


class GatedSocketTransport(GatedTransport):
    """Redis over a unix socket, whose URL the channel itself reads."""

    can_parse_url = True
