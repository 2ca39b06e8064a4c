"""The gate: what a queue held, checked whole before anybody acts on it.

A queue is reachable by every worker that may append to it, so its content
is as hostile as a request's. Celery itself obeys a message's headers (when
to run it, what to send on afterwards, how it is compressed), so nothing of
a message reaches Celery but a name that this consumer listens to and a body
that is that event; the headers are written anew.
"""

from __future__ import annotations

import base64
import binascii
import json
import uuid
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NoReturn, TypeVar

from pydantic import ValidationError

from quasar_core.contracts.events import Event
from quasar_core.errors import QuasarError
from quasar_core.messaging.wire import Verify, signed_bytes

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
"""Twice what an archive of 1 MiB takes when every character is escaped."""

T = TypeVar("T")

CONTENT_TYPE = "application/json"
WORKFLOW_KEYS = ("callbacks", "errbacks", "chain", "chord")


class Reason(StrEnum):
    """Why a message was set aside."""

    TOO_LARGE = "too_large"
    NOT_JSON = "not_json"
    NOT_A_MESSAGE = "not_a_message"
    CONTENT_TYPE = "content_type"
    UNKNOWN_EVENT = "unknown_event"
    INVALID_EVENT = "invalid_event"
    BAD_SIGNATURE = "bad_signature"
    HANDLER_FAILED = "handler_failed"


class NotOurs(QuasarError):
    """A message that is not of our making; the text is for operators."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail[:500]


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _parse(text: str | bytes, what: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as fault:
        raise NotOurs(Reason.NOT_JSON, f"{what}: {fault}") from fault


def _expect(value: Any, kind: type[T], what: str) -> T:
    if not isinstance(value, kind):
        raise NotOurs(Reason.NOT_A_MESSAGE, f"{what} is no {kind.__name__}")
    return value


class Gate:
    """What one consumer lets in.

    `events` maps each name it listens to to its model; with `verify`, only
    messages signed by a known worker pass, and an event that names a worker
    must be signed by that one.
    """

    def __init__(
        self,
        queue: str,
        events: Mapping[str, type[Event]],
        verify: Verify | None = None,
        max_bytes: int = MAX_MESSAGE_BYTES,
    ) -> None:
        self._queue = queue
        self._events = events
        self._verify = verify
        self._max_bytes = max_bytes

    def admit(self, raw: bytes) -> dict[str, Any]:
        """The message, with headers of our own; raises NotOurs."""
        if len(raw) > self._max_bytes:
            raise NotOurs(Reason.TOO_LARGE, f"{len(raw)} bytes")
        message = _expect(_parse(raw, "message"), dict, "message")
        self._check_content(message)
        headers = _expect(message.get("headers"), dict, "headers")
        name = _expect(headers.get("task"), str, "headers.task")
        if name not in self._events:
            raise NotOurs(Reason.UNKNOWN_EVENT, name)
        text = _expect(message.get("body"), str, "body")
        event = self._open(name, _decode(text))
        return _rewrite(self._queue, name, event, text)

    @staticmethod
    def _check_content(message: dict[str, Any]) -> None:
        kind = message.get("content-type")
        if kind != CONTENT_TYPE:
            raise NotOurs(Reason.CONTENT_TYPE, f"content type {kind!r}")
        properties = _expect(message.get("properties"), dict, "properties")
        encoding = properties.get("body_encoding")
        if encoding != "base64":
            raise NotOurs(Reason.CONTENT_TYPE, f"body encoding {encoding!r}")

    def _open(self, name: str, arguments: dict[str, Any]) -> Event:
        if not set(arguments) <= {"body", "worker", "signature"}:
            raise NotOurs(Reason.NOT_A_MESSAGE, "unknown keyword arguments")
        body = _expect(arguments.get("body"), dict, "kwargs.body")
        worker = arguments.get("worker")
        if self._verify is not None:
            self._check_signature(
                self._verify, name, body, worker, arguments.get("signature")
            )
        try:
            event = self._events[name].model_validate(body)
        except ValidationError as fault:
            detail = fault.errors(include_input=False, include_url=False)[:3]
            raise NotOurs(Reason.INVALID_EVENT, str(detail)) from fault
        named = getattr(event, "worker", worker)
        if self._verify is not None and named != worker:
            raise NotOurs(Reason.BAD_SIGNATURE, f"{worker} speaks for {named}")
        return event

    @staticmethod
    def _check_signature(
        verify: Verify,
        name: str,
        body: dict[str, Any],
        worker: Any,
        signature: Any,
    ) -> None:
        if not isinstance(worker, str) or not isinstance(signature, str):
            raise NotOurs(Reason.BAD_SIGNATURE, "unsigned")
        try:
            message = signed_bytes(name, worker, body)
        except (ValueError, TypeError, RecursionError) as fault:
            # json.loads reads 1e999 as infinity, which no JSON can carry.
            raise NotOurs(Reason.NOT_JSON, f"body: {fault}") from fault
        if not verify(worker, message, signature):
            raise NotOurs(Reason.BAD_SIGNATURE, f"not {worker[:64]}'s")


def _decode(text: str) -> dict[str, Any]:
    """The keyword arguments inside a task's body: `[args, kwargs, embed]`."""
    try:
        inner = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as fault:
        raise NotOurs(Reason.NOT_A_MESSAGE, f"body: {fault}") from fault
    parts = _expect(_parse(inner, "body"), list, "body")
    if len(parts) != 3 or parts[0] != []:
        raise NotOurs(Reason.NOT_A_MESSAGE, "body is not [[], kwargs, embed]")
    embed = _expect(parts[2], dict, "embed")
    if any(embed.get(key) for key in WORKFLOW_KEYS):
        raise NotOurs(Reason.NOT_A_MESSAGE, "a task that asks for more tasks")
    return _expect(parts[1], dict, "kwargs")


def _rewrite(queue: str, name: str, event: Event, body: str) -> dict[str, Any]:
    """A message as Celery's second protocol wants it, all ours but `body`."""
    task_id = str(event.event_id)
    return {
        "body": body,
        "content-type": CONTENT_TYPE,
        "content-encoding": "utf-8",
        "headers": {
            "lang": "py",
            "task": name,
            "id": task_id,
            "root_id": task_id,
            "parent_id": None,
            "group": None,
            "retries": 0,
            "timelimit": [None, None],
            "eta": None,
            "expires": None,
            "argsrepr": "",
            "kwargsrepr": "",
            "origin": "",
        },
        "properties": {
            "correlation_id": task_id,
            "reply_to": "",
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": queue},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": str(uuid.uuid4()),
        },
    }
