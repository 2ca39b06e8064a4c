"""Refusals, plain acceptance and health: what any endpoint answers."""

from __future__ import annotations

from quasar_core.contracts.values import (
    Contract,
)
from quasar_core.errors import ProblemCode


class ProblemDetails(Contract):
    """An error, as RFC 9457 `application/problem+json`."""

    type: str
    title: str
    status: int
    code: ProblemCode
    detail: str
    instance: str | None = None
    errors: list[dict[str, str]] | None = None
    server_time_ns: int | None = None
    """Of `signature_stale`: the server's clock, in ns since 1970."""
    difference_seconds: float | None = None
    """Of `signature_stale`: how far the request lies behind it."""


class Health(Contract):
    """GET /health/live and /health/ready."""

    status: str
    checks: dict[str, str] = {}


class Accepted(Contract):
    """A write that needs no other answer."""

    accepted: bool = True
