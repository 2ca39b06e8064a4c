"""The broker: how Celery and redis-py are set up to reach it."""

from __future__ import annotations

from typing import Any

import redis
from celery import Celery

SOCKET_PREFIX = "redis+socket://"
CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 4.0


def plain_client(url: str) -> redis.Redis:
    """A Redis client with bounded time-outs and no retries.

    Takes `redis://`, `rediss://` and `redis+socket://PATH`.
    """
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return redis.Redis.from_url(
        without_socket_prefix(url),
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )


def without_socket_prefix(url: str) -> str:
    """The URL as redis-py reads it: Celery names sockets otherwise."""
    if not url.startswith(SOCKET_PREFIX):
        return url
    url = url.replace(SOCKET_PREFIX, "unix://", 1)
    return url.replace("virtual_host=", "db=")


def celery_app(url: str, **settings: Any) -> Celery:
    """A Celery application that speaks JSON and nothing else.

    No result backend, no remote control, no events; and never the
    process's current application, so that several live side by side.
    """
    app = Celery("quasar", broker=url, set_as_current=False, fixups=[])
    app.conf.update(
        result_backend=None,
        accept_content=["json"],
        task_serializer="json",
        result_serializer="json",
        event_serializer="json",
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        task_default_exchange="",
        task_default_exchange_type="direct",
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        task_send_sent_event=False,
        broker_heartbeat=0,
        broker_connection_timeout=CONNECT_SECONDS,
        broker_transport_options=transport_options(),
        enable_utc=True,
    )
    app.conf.update(**settings)
    return app


def transport_options(**more: Any) -> dict[str, Any]:
    """The options of kombu: one priority, and no wait without an end."""
    return {
        "priority_steps": [0],
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": ANSWER_SECONDS,
        "socket_keepalive": True,
        "retry_on_timeout": False,
        "health_check_interval": 10,
        **more,
    }
