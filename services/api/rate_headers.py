"""Rate headers: what the OpenAPI document says of limits, route by route."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from services.api.turnstile import EXEMPT, RATE_HEADERS

RETRY_AFTER = "Retry-After"
LATER = frozenset({"403", "429", "503"})
"""The statuses whose answer may say when to come again."""

COUNT = MappingProxyType({"type": "integer", "minimum": 0})

HEADERS: Mapping[str, dict[str, Any]] = MappingProxyType(
    {
        "RateLimit-Limit": {
            "description": (
                "Requests in a minute, by the tightest limit that this"
                " request fell under. Not there while nothing is limited."
            ),
            "schema": dict(COUNT),
            "example": 120,
        },
        "RateLimit-Remaining": {
            "description": "What is left of them.",
            "schema": dict(COUNT),
            "example": 117,
        },
        "RateLimit-Reset": {
            "description": "Seconds until the limit is whole again.",
            "schema": dict(COUNT),
            "example": 42,
        },
        "RateLimit-Policy": {
            "description": "The limit, and its window in seconds.",
            "schema": {"type": "string", "pattern": r"^\d+;w=\d+$"},
            "example": "120;w=60",
        },
        RETRY_AFTER: {
            "description": "Seconds to wait, where waiting helps.",
            "schema": dict(COUNT),
            "example": 12,
        },
    }
)
"""Each header of `turnstile.headers_of`, and the one that goes with it."""


def describe(document: dict[str, Any]) -> None:
    """Say of each answer which headers tell of limits.

    Every route is limited but those that the turnstile lets pass.
    """
    document.setdefault("components", {})["headers"] = dict(HEADERS)
    for path, operations in document["paths"].items():
        if path in EXEMPT:
            continue
        for operation in operations.values():
            for status, response in operation["responses"].items():
                names = [*RATE_HEADERS]
                if status in LATER:
                    names.append(RETRY_AFTER)
                headers = response.setdefault("headers", {})
                headers.update({name: _reference(name) for name in names})


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/headers/{name}"}
