"""What an API answers when it does not answer the question."""

from __future__ import annotations

from typing import TypeVar

import httpx2
from pydantic import BaseModel, ValidationError

from quasar_core.contracts.http import ProblemDetails
from quasar_core.errors import ProblemCode, QuasarError, TransientError

Answer = TypeVar("Answer", bound=BaseModel)

PROBLEM_TYPE = "application/problem+json"


class ProblemAnswer(QuasarError):
    """The API refused, and said why (RFC 9457).

    `code` is what programs decide by, `detail` is for people.
    """

    def __init__(
        self,
        status: int,
        code: ProblemCode,
        detail: str,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(f"{status} {code.value}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail
        self.retry_after_seconds = retry_after_seconds

    @property
    def transient(self) -> bool:
        """Whether the same request may well be answered later."""
        return self.status >= 500 or self.status == 429


class ApiUnavailable(TransientError):
    """The API cannot be reached, or does not speak for itself."""


class UnreadableAnswer(ApiUnavailable):
    """An answer that does not fit the contract."""


def checked(response: httpx2.Response) -> httpx2.Response:
    """The response if it is a success; else raises what it says.

    ProblemAnswer for a problem, ApiUnavailable for anything else (a
    proxy's own page, a redirect, ...). The body must have been read.
    """
    if response.is_success:
        return response
    kind, _, _ = response.headers.get("content-type", "").partition(";")
    if kind.strip().lower() == PROBLEM_TYPE:
        raise _problem(response)
    raise ApiUnavailable(
        f"{response.request.url} answered with status"
        f" {response.status_code} and no word of the API's"
    )


def parsed(response: httpx2.Response, model: type[Answer]) -> Answer:
    """The response's body as this contract; raises UnreadableAnswer."""
    try:
        return model.model_validate_json(response.content)
    except ValidationError as fault:
        first = fault.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise UnreadableAnswer(
            f"{response.request.url.path} gave no {model.__name__}"
            f" ({where}: {first['msg']}); are this client and the API of"
            " the same version?"
        ) from fault


def _problem(response: httpx2.Response) -> ProblemAnswer:
    details = parsed(response, ProblemDetails)
    wait = response.headers.get("retry-after", "")
    return ProblemAnswer(
        details.status,
        details.code,
        details.detail,
        retry_after_seconds=float(wait) if wait.isdecimal() else None,
    )
