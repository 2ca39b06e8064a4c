"""The edge of HTTP: request ids, limits, capped bodies, what is counted."""

from __future__ import annotations

import re
import time
from uuid import uuid4

from quasar_core.contracts.http import MAX_BODY_BYTES
from quasar_core.errors import Problem, ProblemCode
from quasar_core.telemetry.logs import get_logger, log_context
from quasar_core.telemetry.metrics import REQUEST_SECONDS, REQUESTS
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api.problems import REQUEST_ID, problem_response
from services.api.turnstile import State, Turnstile, headers_of

METHODS = frozenset(
    {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
)

_SENT_ID = re.compile(r"[A-Za-z0-9-]{8,64}")

log = get_logger("api.web")


class BodyTooLarge(Problem):
    """More came than any request may hold."""

    def __init__(self) -> None:
        super().__init__(
            413,
            ProblemCode.BODY_TOO_LARGE,
            f"a body may hold {MAX_BODY_BYTES} bytes",
            headers={"Connection": "close"},
        )


class Edge:
    """Middleware around the whole app; plain ASGI, so that streams stream."""

    def __init__(
        self, app: ASGIApp, turnstile: Turnstile | None = None
    ) -> None:
        self.app = app
        self.turnstile = turnstile or Turnstile()

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Pass a request in, and its answer out."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        answer = _Answer(send, request_id, scope["state"])
        began = time.perf_counter()
        with log_context(request_id=request_id):
            try:
                await self._limited(scope, receive, answer)
            finally:
                _count(scope, answer.status, time.perf_counter() - began)

    async def _limited(
        self, scope: Scope, receive: Receive, answer: _Answer
    ) -> None:
        try:
            await self.turnstile.admit(scope)
            body = await _whole_body(scope, receive)
        except Problem as fault:
            refusal = problem_response(fault, answer.request_id)
            await refusal(scope, receive, answer.send)
            return
        await self.app(scope, _replayed(body, receive), answer.send)


class _Answer:
    """What is sent: it carries the request's id and what is left of limits.

    Its status is noted.
    """

    def __init__(self, send: Send, request_id: str, state: State) -> None:
        self._send = send
        self._state = state
        self.request_id = request_id
        self.status = 500

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers[REQUEST_ID] = self.request_id
            headers["X-Content-Type-Options"] = "nosniff"
            headers.update(headers_of(self._state))
        await self._send(message)


def _request_id(scope: Scope) -> str:
    sent = Headers(scope=scope).get(REQUEST_ID, "")
    return sent if _SENT_ID.fullmatch(sent) else str(uuid4())


async def _whole_body(scope: Scope, receive: Receive) -> bytes:
    """The body, given up on as soon as it is known to be too large."""
    length = Headers(scope=scope).get("content-length", "0")
    if length.isdecimal() and int(length[:20]) > MAX_BODY_BYTES:
        raise BodyTooLarge
    chunks: list[bytes] = []
    held = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b"".join(chunks)
        chunks.append(message.get("body", b""))
        held += len(chunks[-1])
        if held > MAX_BODY_BYTES:
            raise BodyTooLarge
        if not message.get("more_body", False):
            return b"".join(chunks)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body once, then what comes after it."""
    given = False

    async def once_more() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return once_more


def _count(scope: Scope, status: int, seconds: float) -> None:
    route = getattr(scope.get("route"), "path", "unknown")
    method = scope["method"] if scope["method"] in METHODS else "other"
    REQUESTS.labels(method, route, str(status)).inc()
    REQUEST_SECONDS.labels(method, route).observe(seconds)
    log.debug(
        "request.answered",
        method=method,
        route=route,
        status=status,
        seconds=round(seconds, 4),
    )
