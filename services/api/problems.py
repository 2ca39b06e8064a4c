"""Errors as RFC 9457 tells them: application/problem+json, with a code."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from quasar_core.contracts.http import ProblemDetails
from quasar_core.errors import Problem, ProblemCode
from quasar_core.telemetry.logs import get_logger
from quasar_core.telemetry.metrics import CRASHES, REFUSALS
from starlette.exceptions import HTTPException

from services.api.db.session import DatabaseUnavailable

MEDIA_TYPE = "application/problem+json"
REQUEST_ID = "X-Request-ID"
RETRY_SECONDS = 5
MAX_ERRORS = 20

TITLES: Mapping[ProblemCode, str] = MappingProxyType(
    {
        ProblemCode.SIGNATURE_MISSING: "This request must be signed",
        ProblemCode.SIGNATURE_MALFORMED: "The signature cannot be read",
        ProblemCode.SIGNATURE_BAD: "The signature does not fit the request",
        ProblemCode.SIGNATURE_STALE: "The request's time is out of bounds",
        ProblemCode.WRONG_RECEIVER: "Signed for another receiver",
        ProblemCode.NONCE_REPLAYED: "This request was accepted before",
        ProblemCode.NOT_REGISTERED: "The hotkey is not registered",
        ProblemCode.NOT_PERMITTED: "The hotkey may not do this",
        ProblemCode.HOTKEY_MISMATCH: "Signed by another hotkey",
        ProblemCode.BANNED: "Banned",
        ProblemCode.INVALID_REQUEST: "The request is not valid",
        ProblemCode.BELOW_SMALLEST_LEAGUE: "Too short for any league",
        ProblemCode.ABOVE_LARGEST_LENGTH: "Longer than this round judges",
        ProblemCode.INVALID_COMMIT: "Not a full commit hash",
        ProblemCode.INVALID_URL: "Not an address that is fetched from",
        ProblemCode.BODY_TOO_LARGE: "The body is too large",
        ProblemCode.NOT_FOUND: "There is nothing here",
        ProblemCode.METHOD_NOT_ALLOWED: "Not with this method",
        ProblemCode.QUOTA_EXCEEDED: "The quota is used up",
        ProblemCode.RATE_LIMITED: "Too many requests",
        ProblemCode.CONFLICT: "In conflict with what is there",
        ProblemCode.UNSEALED_NOT_ACCEPTED: "This round takes sealed ones only",
        ProblemCode.COMMITMENT_REPEATED: "This was committed before",
        ProblemCode.COMMITMENT_MISMATCH: "Not what the commitment sealed",
        ProblemCode.SALT_REUSED: "This salt has sealed something before",
        ProblemCode.REVEAL_TOO_EARLY: "The window is not open yet",
        ProblemCode.REVEAL_TOO_LATE: "The window has passed",
        ProblemCode.SOURCE_NOT_PUBLIC: "The source is not public yet",
        ProblemCode.METAGRAPH_UNAVAILABLE: "The chain cannot be read",
        ProblemCode.CHAIN_UNAVAILABLE: "The chain's height cannot be read",
        ProblemCode.UNAVAILABLE: "Not available just now",
        ProblemCode.INTERNAL: "An error of ours",
    }
)

_BY_STATUS: Mapping[int, tuple[ProblemCode, str]] = MappingProxyType(
    {
        404: (ProblemCode.NOT_FOUND, "there is nothing at this path"),
        405: (
            ProblemCode.METHOD_NOT_ALLOWED,
            "this path does not take that method",
        ),
        413: (ProblemCode.BODY_TOO_LARGE, "the body is too large"),
        503: (ProblemCode.UNAVAILABLE, "try again in a moment"),
    }
)

log = get_logger("api.problems")


def problem_response(
    problem: Problem,
    request_id: str | None = None,
    errors: list[dict[str, str]] | None = None,
) -> JSONResponse:
    """The answer that tells a problem."""
    REFUSALS.labels(problem.code.value).inc()
    details = ProblemDetails(
        type=f"urn:quasar:problem:{problem.code.value}",
        title=TITLES[problem.code],
        status=problem.status,
        code=problem.code,
        detail=problem.detail,
        instance=f"urn:quasar:request:{request_id}" if request_id else None,
        errors=errors,
        **problem.members,  # type: ignore[arg-type]
    )
    return JSONResponse(
        details.model_dump(mode="json", exclude_none=True),
        status_code=problem.status,
        headers=dict(problem.headers),
        media_type=MEDIA_TYPE,
    )


def invalid(detail: str) -> Problem:
    """A 422 for a request that a rule refuses without a code of its own."""
    return Problem(422, ProblemCode.INVALID_REQUEST, detail)


def not_found(what: str) -> Problem:
    """A 404 that says what was looked for."""
    return Problem(404, ProblemCode.NOT_FOUND, f"there is no such {what}")


def unavailable(detail: str) -> Problem:
    """A 503 that says when to come again."""
    return Problem(
        503,
        ProblemCode.UNAVAILABLE,
        detail,
        headers={"Retry-After": str(RETRY_SECONDS)},
    )


def install(app: FastAPI) -> None:
    """Let every error of the app answer as a problem."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(DatabaseUnavailable, _on_database_away)
    app.add_exception_handler(Exception, _on_crash)
    CRASHES.labels("api.web")


def _request_id(request: Request) -> str | None:
    return getattr(request.state, "request_id", None)


async def _on_problem(request: Request, fault: Exception) -> JSONResponse:
    assert isinstance(fault, Problem)  # noqa: S101 -- registered for it
    return problem_response(fault, _request_id(request))


async def _on_http(request: Request, fault: Exception) -> JSONResponse:
    assert isinstance(fault, HTTPException)  # noqa: S101 -- likewise
    status = fault.status_code
    if status == 400:
        # the framework's word for a body that it could not parse
        status = 422
    code, detail = _BY_STATUS.get(
        status, (ProblemCode.INVALID_REQUEST, "the request is not valid")
    )
    problem = Problem(status, code, detail, headers=fault.headers)
    return problem_response(problem, _request_id(request))


async def _on_invalid(request: Request, fault: Exception) -> JSONResponse:
    assert isinstance(fault, RequestValidationError)  # noqa: S101 -- likewise
    errors = _told(fault.errors())
    first = errors[0]
    return problem_response(
        invalid(f"{first['field']}: {first['message']}"),
        _request_id(request),
        errors,
    )


def _told(errors: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Where and why, without what was sent: that may be anything."""
    return [
        {
            "field": _plain(".".join(str(part) for part in error["loc"])),
            "message": _plain(str(error["msg"])),
        }
        for error in errors[:MAX_ERRORS]
    ]


def _plain(text: str) -> str:
    """Printable ASCII, and not much of it."""
    return re.sub(r"[^\x20-\x7e]", "?", text)[:200]


async def _on_database_away(
    request: Request, fault: Exception
) -> JSONResponse:
    log.warning("database.away", error=str(fault.__cause__)[:200])
    return problem_response(
        unavailable("the database does not answer; nothing was stored"),
        _request_id(request),
    )


async def _on_crash(request: Request, fault: Exception) -> JSONResponse:
    # the framework raises it again afterwards, so that it is logged whole
    CRASHES.labels("api.web").inc()
    log.error(
        "request.crashed",
        request_id=_request_id(request),
        error=type(fault).__name__,
    )
    request_id = _request_id(request)
    return problem_response(
        Problem(
            500,
            ProblemCode.INTERNAL,
            "an error of ours; tell us the request id if it stays",
            # this answer is sent from outside of the edge, which names it
            headers={REQUEST_ID: request_id or ""},
        ),
        request_id,
    )
