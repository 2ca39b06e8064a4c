"""The wire: how an event lies in a message, and what its signature covers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypedDict

from quasar_core.contracts.events import Event

Sign = Callable[[bytes], str]
"""`sign(message) -> signature`: a worker's key."""

Verify = Callable[[str, bytes, str], bool]
"""`verify(worker, message, signature)`: whether it is that worker's own."""


class Envelope(TypedDict):
    """The keyword arguments of a task: the event, and who vouches for it."""

    body: dict[str, Any]
    worker: str | None
    signature: str | None


def signed_bytes(
    event_name: str, worker: str | None, body: dict[str, Any]
) -> bytes:
    """What a signature covers: canonical JSON of name, worker and body.

    ASCII, sorted keys, no spaces: the same bytes on both sides of the
    queue. Raises ValueError or TypeError for what JSON cannot carry.
    """
    return json.dumps(
        {"event": event_name, "worker": worker, "body": body},
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=True,
        allow_nan=False,
    ).encode("ascii")


def seal(
    event: Event, worker: str | None = None, sign: Sign | None = None
) -> Envelope:
    """The envelope of an event, signed where there is a key."""
    body = event.model_dump(mode="json")
    signature = None
    if sign is not None:
        signature = sign(signed_bytes(event.event_name, worker, body))
    return Envelope(body=body, worker=worker, signature=signature)
